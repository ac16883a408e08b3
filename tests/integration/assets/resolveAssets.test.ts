import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import sharp from 'sharp';
import { Agent } from 'undici';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAssetFetcher } from '../../../src/assets/fetchAsset.ts';
import {
  type AssetSources,
  loadAssets,
  type ResolvedAsset,
  resolveAssets,
} from '../../../src/assets/resolveAssets.ts';
import { createTurns } from '../../../src/concurrency/turns.ts';
import { PreviewError } from '../../../src/errors.ts';
import type { Asset, PreviewJob } from '../../../src/job/previewJob.types.ts';
import type { ArtifactStore } from '../../../src/storage/artifactStore.ts';
import { createFsStore } from '../../../src/storage/folder/fsStore.ts';
import { type AssetServer, startAssetServer } from './assetServer.ts';

const EXAMPLE = resolve(import.meta.dirname, '../../../examples/pour-over-coffee');
const PNG = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'teal' } })
  .png()
  .toBuffer();

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const dataUrl = (mediaType: string, bytes: Uint8Array): string =>
  `data:${mediaType};base64,${Buffer.from(bytes).toString('base64')}`;

/** A job that uses all of the assets: pictures and videos in steps, the first sound as music. */
function jobWith(...assets: Asset[]): PreviewJob {
  const music = assets.find(({ type }) => type === 'audio');
  return {
    jobId: 'intro',
    projectId: 'docs',
    requestId: 'r-1',
    dryRun: false,
    previewRequest: {
      steps: assets.filter(({ type }) => type !== 'audio').map(({ id }) => ({ asset: id })),
      assets,
      audio: music ? { music: { asset: music.id } } : {},
    },
  };
}

const imageOf = (source: Partial<Asset>, id = 'photo'): Asset => ({ id, type: 'image', ...source });

describe('the assets of a job', () => {
  let folder: string;
  let store: ArtifactStore;
  let sources: AssetSources;
  const agent = new Agent();
  let server: AssetServer;
  /** How many requests were open at once, at most. */
  let mostAtOnce = 0;

  beforeAll(async () => {
    let open = 0;
    server = await startAssetServer(async ({ url = '' }, response) => {
      open += 1;
      mostAtOnce = Math.max(mostAtOnce, open);
      response.on('close', () => {
        open -= 1;
      });
      if (url.startsWith('/missing')) response.writeHead(404).end();
      else if (url.startsWith('/hang')) response.writeHead(200).write(PNG.subarray(0, 20));
      else {
        await wait(20);
        response.end(PNG);
      }
    });
  });
  afterAll(async () => {
    await agent.destroy();
    await server.close();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'preview-assets-'));
    store = await createFsStore(join(folder, 'store'));
    await mkdir(join(folder, 'job'));
    sources = {
      store,
      fetcher: createAssetFetcher(agent, 10_000),
      baseFolder: join(folder, 'job'),
      maxBytes: 1_000_000,
      signal: new AbortController().signal,
    };
    server.requests.length = 0;
    mostAtOnce = 0;
  });
  afterEach(() => rm(folder, { recursive: true }));

  const upload = async (projectId: string | undefined): Promise<void> =>
    store.putUpload(projectId, await store.putObject(PNG));
  const resolveOne = async (asset: Asset, changes: Partial<AssetSources> = {}): Promise<ResolvedAsset> => {
    const [only, ...others] = await resolveAssets(jobWith(asset), { ...sources, ...changes });
    expect(others).toEqual([]);
    if (!only) throw new Error('no asset was resolved');
    return only;
  };
  const resolvedPng = { id: 'photo', type: 'image', format: 'png', sha256: digestOf(PNG), bytes: PNG.length };

  describe('come into the store, whatever their source', () => {
    it('a data: URL', async () => {
      expect(await resolveOne(imageOf({ data: dataUrl('image/png', PNG) }))).toEqual(resolvedPng);
      expect(await store.readObject(digestOf(PNG))).toEqual(PNG);
    });

    it('an upload', async () => {
      await upload('docs');
      expect(await resolveOne(imageOf({ upload: digestOf(PNG) }))).toEqual(resolvedPng);
    });

    it('a file below the folder of the job', async () => {
      await mkdir(join(folder, 'job/pictures'));
      await writeFile(join(folder, 'job/pictures/..photo.png'), PNG);
      expect(await resolveOne(imageOf({ path: 'pictures/..photo.png' }))).toEqual(resolvedPng);
      expect(await store.readObject(digestOf(PNG))).toEqual(PNG);
    });

    it('a URL', async () => {
      expect(await resolveOne(imageOf({ url: `${server.url}/photo.png` }))).toEqual(resolvedPng);
      expect(await store.readObject(digestOf(PNG))).toEqual(PNG);
    });

    it('the files of the example', async () => {
      const job = JSON.parse(await readFile(join(EXAMPLE, 'job.json'), 'utf8')) as PreviewJob;
      const resolved = await resolveAssets(job, { ...sources, baseFolder: EXAMPLE });
      expect(resolved).toHaveLength(job.previewRequest.assets.length);
      expect(new Set(resolved.map(({ format }) => format))).toEqual(new Set(['jpeg', 'ogg', 'm4a']));
    });

    it.each(['jpeg', 'png', 'webp', 'avif'] as const)('a picture that is %s', async (format) => {
      const bytes = await sharp(PNG).toFormat(format).toBuffer();
      expect(await resolveOne(imageOf({ data: dataUrl('image/x', bytes) }))).toMatchObject({ format });
    });
  });

  it('are loaded only where the job refers to them', async () => {
    const job = jobWith(imageOf({ url: `${server.url}/used` }, 'used'));
    job.previewRequest.assets.unshift(imageOf({ url: `${server.url}/unused` }, 'unused'));
    const resolved = await resolveAssets(job, sources);
    expect(resolved.map(({ id }) => id)).toEqual(['used']);
    expect(server.requests).toEqual(['/used']);
  });

  it('keep their order, and are loaded four at a time', async () => {
    const ids = Array.from({ length: 12 }, (_, i) => `photo-${i}`);
    const job = jobWith(...ids.map((id) => imageOf({ url: `${server.url}/${id}` }, id)));
    const resolved = await resolveAssets(job, sources);
    expect(resolved.map(({ id }) => id)).toEqual(ids);
    expect(mostAtOnce).toBe(4);
  });

  describe('of other projects, whose digests someone has learned', () => {
    const theirs = (asset: Asset): PreviewJob => ({ ...jobWith(asset), projectId: 'shop' });

    it('are not there, be they uploads or what a job has made', async () => {
      await upload('docs');
      const message = /photo.*has not been uploaded/s;
      const asset = imageOf({ upload: digestOf(PNG) });
      await expect(resolveAssets(theirs(asset), sources)).rejects.toMatchObject({
        code: 'asset_missing',
        message,
      });
      const made = await sharp(PNG).negate().png().toBuffer();
      await store.putObject(made);
      const { rejects } = expect(resolveOne(imageOf({ upload: digestOf(made) })));
      await rejects.toMatchObject({ code: 'asset_missing', message });
    });

    it('are not had for a digest: they are fetched, once for each project', async () => {
      await upload('docs');
      const nowhere = imageOf({ url: `${server.url}/missing`, sha256: digestOf(PNG) });
      await expect(resolveAssets(theirs(nowhere), sources)).rejects.toMatchObject({ code: 'asset_missing' });
      server.requests.length = 0;
      const known = imageOf({ url: `${server.url}/photo.png`, sha256: digestOf(PNG) });
      for (let i = 0; i < 2; i++) await resolveAssets(theirs(known), sources);
      await resolveAssets(theirs(nowhere), sources);
      expect(server.requests).toEqual(['/photo.png']);
    });

    it('are for all where they were uploaded without API keys', async () => {
      await upload(undefined);
      expect(await resolveAssets(theirs(imageOf({ upload: digestOf(PNG) })), sources)).toEqual([resolvedPng]);
    });
  });

  describe('with a sha256', () => {
    it('are not fetched again', async () => {
      await upload('docs');
      const asset = imageOf({ url: `${server.url}/missing`, sha256: digestOf(PNG) });
      expect(await resolveOne(asset)).toEqual(resolvedPng);
      expect(server.requests).toEqual([]);
    });

    it('are fetched once, also where several assets and jobs want them at the same time', async () => {
      const turns = createTurns();
      const asset = (id: string) => imageOf({ url: `${server.url}/photo.png`, sha256: digestOf(PNG) }, id);
      const jobs = [jobWith(asset('a'), asset('b')), jobWith(asset('c'), asset('d'), asset('e'))];
      const resolved = await Promise.all(jobs.map((job) => resolveAssets(job, { ...sources, turns })));
      expect(resolved.flat().map(({ sha256 }) => sha256)).toEqual(Array(5).fill(digestOf(PNG)));
      expect(server.requests).toEqual(['/photo.png']);
    });

    it('are fetched from the next address where the first has nothing', async () => {
      const sha256 = digestOf(PNG);
      const job = jobWith(
        imageOf({ url: `${server.url}/missing`, sha256 }, 'a'),
        imageOf({ url: `${server.url}/photo.png`, sha256 }, 'b'),
      );
      job.previewRequest.options = { onAssetError: 'placeholder' };
      expect(await loadAssets(job, sources)).toMatchObject([
        { failure: expect.stringContaining('404') },
        { sha256 },
      ]);
    });

    it('are fetched where the store does not have them', async () => {
      const asset = imageOf({ url: `${server.url}/photo.png`, sha256: digestOf(PNG) });
      expect(await resolveOne(asset)).toEqual(resolvedPng);
      expect(server.requests).toEqual(['/photo.png']);
    });

    it.each([
      ['a URL', () => ({ url: `${server.url}/photo.png` })],
      ['a data: URL', () => ({ data: dataUrl('image/png', PNG) })],
      ['a file', () => ({ path: 'photo.png' })],
      ['an upload', () => ({ upload: digestOf(PNG) })],
    ])('are refused where the bytes of %s differ', async (_, source) => {
      await writeFile(join(folder, 'job/photo.png'), PNG);
      await upload('docs');
      const sha256 = 'e'.repeat(64);
      await expect(resolveOne(imageOf({ ...source(), sha256 }))).rejects.toMatchObject({
        code: 'asset_digest_mismatch',
        message: expect.stringMatching(/^Asset "photo": /),
      });
    });

    it('are refused where a file was changed, although the store still has the old one', async () => {
      await store.putObject(PNG);
      const changed = await sharp(PNG).negate().png().toBuffer();
      await writeFile(join(folder, 'job/photo.png'), changed);
      await expect(resolveOne(imageOf({ path: 'photo.png', sha256: digestOf(PNG) }))).rejects.toMatchObject({
        code: 'asset_digest_mismatch',
      });
    });
  });

  describe('are refused, by name,', () => {
    const refusal = async (asset: Asset, changes?: Partial<AssetSources>): Promise<unknown> => {
      const error = await resolveOne(asset, changes).catch((thrown: unknown) => thrown);
      if (!(error instanceof PreviewError)) throw error;
      expect(error.message).toContain('"photo"');
      expect(error.message).not.toContain(folder);
      return `${error.code}: ${error.message}`;
    };

    it('where an upload is not there', async () => {
      expect(await refusal(imageOf({ upload: digestOf(PNG) }))).toMatch(
        /^asset_missing: .*POST \/api\/assets/,
      );
    });

    it('where a URL leads to nothing', async () => {
      expect(await refusal(imageOf({ url: `${server.url}/missing` }))).toMatch(/^asset_missing: .*404/);
    });

    it('where URLs are not fetched', async () => {
      const { fetcher: _, ...without } = sources;
      const job = jobWith(imageOf({ url: `${server.url}/photo.png` }));
      await expect(resolveAssets(job, without)).rejects.toMatchObject({ code: 'asset_missing' });
      expect(server.requests).toEqual([]);
    });

    it('where files are not read', async () => {
      await writeFile(join(folder, 'job/photo.png'), PNG);
      const { baseFolder: _, ...without } = sources;
      await expect(resolveAssets(jobWith(imageOf({ path: 'photo.png' })), without)).rejects.toMatchObject({
        code: 'asset_address_refused',
        message: expect.stringContaining('upload'),
      });
    });

    it.each(['nowhere.png', 'a\0b.png', 'photo.png/deeper', 'x'.repeat(300)])(
      'where the file %j is not there',
      async (path) => {
        await writeFile(join(folder, 'job/photo.png'), PNG);
        expect(await refusal(imageOf({ path }))).toMatch(/^asset_missing: /);
      },
    );

    it('where the path is a folder', async () => {
      await mkdir(join(folder, 'job/pictures'));
      expect(await refusal(imageOf({ path: 'pictures' }))).toMatch(/^asset_missing: .*not a file/);
    });

    it('where the path leads out of the folder of the job', async () => {
      await writeFile(join(folder, 'secret.png'), PNG);
      await mkdir(join(folder, 'job-2'));
      await writeFile(join(folder, 'job-2/secret.png'), PNG);
      await symlink(join(folder, 'secret.png'), join(folder, 'job/link.png'));
      await symlink(folder, join(folder, 'job/up'));
      const paths = [
        '../secret.png',
        join(folder, 'secret.png'),
        '../job-2/secret.png',
        'link.png',
        'up/secret.png',
        '.',
      ];
      for (const path of paths) {
        await expect(resolveOne(imageOf({ path })), path).rejects.toMatchObject({
          code: 'asset_address_refused',
        });
      }
      expect(await store.statObject(digestOf(PNG))).toBeUndefined();
    });

    it('not where a link stays in the folder of the job', async () => {
      await writeFile(join(folder, 'job/photo.png'), PNG);
      await symlink('photo.png', join(folder, 'job/link.png'));
      expect(await resolveOne(imageOf({ path: 'link.png' }))).toEqual(resolvedPng);
    });

    it('where there is nothing in the file', async () => {
      await writeFile(join(folder, 'job/photo.png'), '');
      expect(await refusal(imageOf({ path: 'photo.png' }))).toMatch(/^asset_empty: /);
    });

    it('where the file is too large', async () => {
      const maxBytes = PNG.length - 1;
      expect(await refusal(imageOf({ url: `${server.url}/photo.png` }), { maxBytes })).toMatch(
        /^asset_too_large: /,
      );
    });

    it.each([
      [
        'plain text',
        Buffer.from('not a picture\n'),
        /image, but its bytes are plain text; send jpeg, png, webp, avif/,
      ],
      ['an SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), /SVG/],
      ['a sound', Buffer.from('fLaC\0\0\0\x22', 'latin1'), /image, but its bytes are audio\/flac/],
    ])('where the picture is %s', async (_, bytes, message) => {
      await writeFile(join(folder, 'job/photo.jpg'), bytes);
      expect(await refusal(imageOf({ path: 'photo.jpg' }))).toMatch(message);
      expect(await refusal(imageOf({ path: 'photo.jpg' }))).toMatch(/^asset_type_unsupported: /);
    });

    it('where the sound is a picture', async () => {
      const asset: Asset = { id: 'photo', type: 'audio', data: dataUrl('audio/ogg', PNG) };
      expect(await refusal(asset)).toMatch(
        /audio, but its bytes are image\/png; send wav, mp3, m4a, ogg, flac/,
      );
    });
  });

  describe('when one fails', () => {
    it('stop being loaded, all of them, before the failure is told', async () => {
      const hanging = ['a', 'b', 'c'].map((id) => imageOf({ url: `${server.url}/hang/${id}` }, id));
      const waiting = imageOf({ url: `${server.url}/later` }, 'later');
      const job = jobWith(...hanging, imageOf({ url: `${server.url}/missing` }), waiting);
      await expect(resolveAssets(job, sources)).rejects.toMatchObject({
        code: 'asset_missing',
        message: expect.stringMatching(/^Asset "photo": [^"]*$/),
      });
      expect(server.requests).not.toContain('/later');
      expect(await readdir(join(folder, 'store/tmp'))).toEqual([]);
    });

    it('stop with the reason of whoever cancels the job', async () => {
      const control = new AbortController();
      const reason = new PreviewError('cancelled');
      const resolving = resolveAssets(jobWith(imageOf({ url: `${server.url}/hang` })), {
        ...sources,
        signal: control.signal,
      });
      control.abort(reason);
      await expect(resolving).rejects.toBe(reason);
      expect(await readdir(join(folder, 'store/tmp'))).toEqual([]);
    });

    it('are not even begun where the job is cancelled already', async () => {
      const signal = AbortSignal.abort(new PreviewError('cancelled'));
      const job = jobWith(imageOf({ url: `${server.url}/photo.png` }));
      await expect(resolveAssets(job, { ...sources, signal })).rejects.toMatchObject({ code: 'cancelled' });
      expect(server.requests).toEqual([]);
    });
  });
});
