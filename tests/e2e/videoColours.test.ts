import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quietFfmpeg } from '../../src/media/ffmpeg.ts';
import { yuvToRgb as asPoster } from '../../src/media/picture/convert.ts';
import type { YuvPicture } from '../../src/media/picture/frame.ts';
import { readClip } from '../../src/media/video/clip.ts';
import { yuvToRgb } from '../support/yuvToRgb.ts';

/** Four columns; the last one is grey. */
const COLOURS = [
  [196, 40, 40],
  [40, 160, 70],
  [40, 60, 200],
  [128, 128, 128],
] as const;
const TAGS = ['colorspace', 'color_primaries', 'color_trc'] as const;
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '4'];
const VP8 = ['-c:v', 'libvpx', '-deadline', 'realtime', '-b:v', '3M'];

interface Coded {
  /** How luma and chroma are made of the colours. */
  matrix: 'bt709' | 'bt601';
  /** What the file says of it. */
  tag?: 'bt709' | 'smpte170m';
  range?: 'tv' | 'pc';
}

let folder: string;
let clips = 0;

beforeAll(() => {
  quietFfmpeg();
  folder = mkdtempSync(join(tmpdir(), 'preview-colours-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function makeClip(size: string, { matrix, tag, range = 'tv' }: Coded, codec: readonly string[]): Buffer {
  const [width = 0, height] = size.split('x').map(Number);
  const path = join(folder, `${clips++}.${codec === VP8 ? 'webm' : 'mp4'}`);
  const columns = COLOURS.map(
    ([red, green, blue], i) =>
      `color=c=0x${Buffer.from([red, green, blue]).toString('hex')}:s=${width / 4}x${height}:r=10:d=0.3,format=gbrp[c${i}]`,
  );
  const graph = [
    ...columns,
    `[c0][c1][c2][c3]hstack=inputs=4,scale=out_color_matrix=${matrix}:out_range=${range}:flags=accurate_rnd+full_chroma_int,format=yuv420p,setparams=range=${tag ? range : 'unknown'}:${TAGS.map((name) => `${name}=${tag ?? 'unknown'}`).join(':')}`,
  ].join(';');
  const tags = tag ? [...TAGS.flatMap((name) => [`-${name}`, tag]), '-color_range', range] : [];
  const { status, stderr } = spawnSync(
    'ffmpeg',
    ['-y', '-v', 'error', '-filter_complex', graph, ...tags, ...codec, path],
    { encoding: 'utf8' },
  );
  expect(status, stderr).toBe(0);
  return readFileSync(path);
}

async function firstPicture(bytes: Buffer, codec: readonly string[], size: string): Promise<YuvPicture> {
  const [width = 0, height = 0] = size.split('x').map(Number);
  for await (const picture of readClip(bytes, codec === VP8 ? 'matroska' : 'mov', { width, height, fps: 10 }))
    return picture;
  throw new Error('the clip has no picture');
}

/** What is seen in the middle of a column. */
function columnOf({ width, height }: YuvPicture, rgb: Buffer, column: number): number[] {
  const at = ((height >> 1) * width + Math.floor((width * (column + 0.5)) / 4)) * 3;
  return [...rgb.subarray(at, at + 3)];
}

function expectColours(picture: YuvPicture, rgb: Buffer, tolerance: number): void {
  COLOURS.forEach((colour, column) => {
    const seen = columnOf(picture, rgb, column);
    const off = Math.max(...seen.map((value, i) => Math.abs(value - (colour[i] ?? 0))));
    expect(off, `${colour} is shown as ${seen}`).toBeLessThanOrEqual(tolerance);
  });
}

describe.each([
  ['1280x720', { matrix: 'bt709' }],
  ['1280x720', { matrix: 'bt709', tag: 'bt709' }],
  ['1280x720', { matrix: 'bt601', tag: 'smpte170m' }],
  ['640x360', { matrix: 'bt601' }],
  ['640x360', { matrix: 'bt709', tag: 'bt709' }],
  ['640x360', { matrix: 'bt601', tag: 'smpte170m' }],
] as const satisfies [string, Coded][])('an H.264 clip of %s, %j', (size, coded) => {
  it('keeps its colours at its own size, a smaller and a larger one, and grey stays grey', async () => {
    const bytes = makeClip(size, coded, H264);
    for (const shown of ['640x360', '320x180', '1280x720']) {
      const picture = await firstPicture(bytes, H264, shown);
      const rgb = yuvToRgb(picture);
      expectColours(picture, rgb, 3);
      expect(columnOf(picture, rgb, 3)).toEqual([128, 128, 128]);
      expect(columnOf(picture, (await asPoster(picture)).data, 3)).toEqual([128, 128, 128]);
    }
  });
});

// A VP8 stream cannot say how it is coded. Chromium records in full range, and says so in the container.
it.each([
  ['1280x720', { matrix: 'bt709' }],
  ['640x360', { matrix: 'bt601' }],
  ['640x360', { matrix: 'bt709', tag: 'bt709' }],
  ['1280x720', { matrix: 'bt601', tag: 'smpte170m' }],
  ['640x360', { matrix: 'bt709', tag: 'bt709', range: 'pc' }],
] as const satisfies [string, Coded][])(
  'a VP8 clip of %s is read as its container says: %j',
  async (size, coded) => {
    const picture = await firstPicture(makeClip(size, coded, VP8), VP8, '320x180');
    expectColours(picture, yuvToRgb(picture), 4);
  },
);

it('a clip that is said to be RGB and is not is read as one that says nothing', async () => {
  const path = join(folder, 'mistaken.mp4');
  const bytes = makeClip('640x360', { matrix: 'bt601' }, H264);
  const { status, stderr } = spawnSync(
    'ffmpeg',
    [
      ...['-y', '-v', 'error', '-i', 'pipe:0', '-c', 'copy'],
      ...['-bsf:v', 'h264_metadata=matrix_coefficients=0', path],
    ],
    { encoding: 'utf8', input: bytes },
  );
  expect(status, stderr).toBe(0);
  const picture = await firstPicture(readFileSync(path), H264, '320x180');
  expectColours(picture, yuvToRgb(picture), 3);
});
