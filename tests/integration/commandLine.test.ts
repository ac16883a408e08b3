import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PreviewRequest } from '../../src/job/previewJob.types.ts';
import { CLI } from '../support/processes.ts';
import { smallJob } from '../support/service.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'preview-cli-'));
  const photo = await sharp({
    create: {
      width: 800,
      height: 600,
      channels: 3,
      background: '#842',
      noise: { type: 'gaussian', mean: 128, sigma: 40 },
    },
  })
    .jpeg()
    .toBuffer();
  await writeFile(join(folder, 'truncated.jpg'), photo.subarray(0, photo.length / 3));
  await writeFile(join(folder, 'text.jpg'), 'This is not a picture, whatever its name says.');
  await writeFile(join(folder, 'empty.ogg'), '');
  // A well-formed header and nothing that could be played.
  await writeFile(
    join(folder, 'silent.wav'),
    Buffer.from(
      '524946462400000057415645666d74201000000001000100803e0000007d00000200100064617461000000',
      'hex',
    ),
  );
  await sharp({
    create: { width: 20_000, height: 20_000, channels: 3, background: '#fff' },
    limitInputPixels: false,
  })
    .png({ compressionLevel: 1 })
    .toFile(join(folder, 'huge.png'));
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const env = { PATH: process.env.PATH, DATA_DIR: join(folder, 'data') };
  const child = spawn(process.execPath, [CLI, ...args], { env });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, err };
}

async function jobFile(name: string, content: unknown): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

const withPicture = (path: string): Partial<PreviewRequest> => ({
  steps: [{ title: 'One', asset: 'thing' }],
  assets: [{ id: 'thing', type: 'image', path }],
});
const withSound = (path: string): Partial<PreviewRequest> => ({
  steps: [{ title: 'One', narration: 'thing' }],
  assets: [{ id: 'thing', type: 'audio', path }],
});

describe('preview-worker validate', () => {
  it('says that a valid job is valid', async () => {
    const { code, out } = await run('validate', await jobFile('good.json', smallJob('good')));
    expect(code).toBe(0);
    expect(out).toContain('is valid');
  });

  it.each([
    ['broken JSON', '{"jobId": "a",}', /bad\.json:1:15: not valid JSON/],
    ['an unknown field', { ...smallJob('a'), colour: 'red' }, /^\/colour: /m],
    [
      'an unknown asset',
      smallJob('a', { steps: [{ asset: 'nowhere' }] }),
      /^\/previewRequest\/steps\/0\/asset: /m,
    ],
    [
      'an odd side',
      smallJob('a', { options: { resolution: '1281x720' } }),
      /^\/previewRequest\/options\/resolution: /m,
    ],
  ])('exits with 2 and names the place for %s', async (_, content, complaint) => {
    const { code, err } = await run('validate', await jobFile('bad.json', content));
    expect(code).toBe(2);
    expect(err).toMatch(complaint);
  });

  it('exits with 64 for wrong usage', async () => {
    expect((await run('validate')).code).toBe(64);
    expect((await run('dance')).code).toBe(64);
  });
});

describe('preview-worker render', () => {
  it('leaves every artifact of a title card alone', async () => {
    const out = join(folder, 'out');
    const { code } = await run('render', await jobFile('title.json', smallJob('title')), '--out', out);
    expect(code).toBe(0);
    expect((await readdir(out)).sort()).toEqual([
      'captions.srt',
      'captions.vtt',
      'chapters.vtt',
      'manifest.json',
      'poster.jpg',
      'preview.mp4',
      'storyboard.jpg',
      'storyboard.vtt',
    ]);
  });

  it.each([
    ['a missing file', withPicture('nowhere.jpg'), /asset_missing: Asset "thing".*nowhere\.jpg/],
    ['a text named .jpg', withPicture('text.jpg'), /asset_type_unsupported: Asset "thing".*plain text/],
    ['a truncated JPEG', withPicture('truncated.jpg'), /asset_corrupt: .*damaged or truncated/],
    [
      'a picture of 20,000 x 20,000',
      withPicture('huge.png'),
      /asset_too_many_pixels: Asset "thing".*20000 x 20000/,
    ],
    ['an empty sound', withSound('empty.ogg'), /asset_empty: Asset "thing"/],
    ['a sound without samples', withSound('silent.wav'), /asset_corrupt: Asset "thing"/],
    ['a file outside the folder', withPicture('../../etc/passwd'), /path/],
  ])('exits with 2 and names the asset for %s', async (_, request, complaint) => {
    const { code, err } = await run(
      'render',
      await jobFile('bad.json', smallJob('bad', request)),
      '--out',
      join(folder, 'no'),
    );
    expect(err).toMatch(complaint);
    expect(err).not.toContain('    at ');
    expect(code).toBe(2);
  });
});
