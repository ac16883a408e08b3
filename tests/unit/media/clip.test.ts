import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { quietFfmpeg } from '../../../src/media/ffmpeg.ts';
import type { YuvPicture } from '../../../src/media/picture/frame.ts';
import { probeClip, readClip } from '../../../src/media/video/clip.ts';

const CLIP = readFileSync('examples/features/media/clip.mp4');
const [WIDTH, HEIGHT] = [568, 640];

beforeAll(() => quietFfmpeg());

/** The clip with another matrix in its track header (ISO/IEC 14496-12, 8.3.2), as a phone writes it. */
function turned(a: number, b: number, c: number, d: number): Buffer {
  const bytes = Buffer.from(CLIP);
  const matrix = bytes.indexOf('tkhd') + 4 + 40;
  bytes.writeInt32BE(a * 0x10000, matrix);
  bytes.writeInt32BE(b * 0x10000, matrix + 4);
  bytes.writeInt32BE(c * 0x10000, matrix + 12);
  bytes.writeInt32BE(d * 0x10000, matrix + 16);
  return bytes;
}

async function pictures(bytes: Buffer, width: number, height: number, fps: number): Promise<YuvPicture[]> {
  const found: YuvPicture[] = [];
  for await (const picture of readClip(bytes, 'mov', { width, height, fps })) found.push(picture);
  return found;
}

/** Mean luma of the four quarters of a picture. */
function quarters({ width, height, data }: YuvPicture): number[] {
  const sums = [0, 0, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const quarter = (y < height / 2 ? 0 : 2) + (x < width / 2 ? 0 : 1);
      sums[quarter] = (sums[quarter] as number) + (data[y * width + x] as number);
    }
  }
  return sums.map((sum) => Math.round((sum * 4) / width / height));
}

describe('a clip', () => {
  it('is measured by its packets', async () => {
    const header = await probeClip(CLIP, 'mov');
    expect(header).toMatchObject({ width: WIDTH, height: HEIGHT });
    expect(header.seconds).toBeCloseTo(1.9, 1);
  });

  it.each([10, 25, 60])('gives as many pictures as its seconds at %i a second', async (fps) => {
    const { seconds } = await probeClip(CLIP, 'mov');
    expect(Math.abs((await pictures(CLIP, 160, 180, fps)).length - seconds * fps)).toBeLessThanOrEqual(1);
  });

  it('fills the frame whatever its shape', async () => {
    const [first] = await pictures(CLIP, 320, 180, 5);
    expect(first).toMatchObject({ width: 320, height: 180 });
    expect(first?.data.length).toBe((320 * 180 * 3) / 2);
  });

  it.each([
    ['a quarter clockwise', turned(0, 1, -1, 0), [2, 0, 3, 1], true],
    ['upside down', turned(-1, 0, 0, -1), [3, 2, 1, 0], false],
    ['a quarter the other way', turned(0, -1, 1, 0), [1, 3, 0, 2], true],
  ] as const)('is shown as it was held: %s', async (_, bytes, order, isTurned) => {
    const [width, height] = isTurned ? [HEIGHT, WIDTH] : [WIDTH, HEIGHT];
    expect(await probeClip(bytes, 'mov')).toMatchObject({ width, height });
    const [upright] = await pictures(CLIP, WIDTH, HEIGHT, 1);
    const [shown] = await pictures(bytes, width, height, 1);
    const before = quarters(upright as YuvPicture);
    const expected = order.map((quarter) => before[quarter] as number);
    quarters(shown as YuvPicture).forEach((value, i) => {
      expect(Math.abs(value - (expected[i] as number))).toBeLessThanOrEqual(2);
    });
  });

  it('is refused where it has no picture', async () => {
    await expect(probeClip(readFileSync('examples/pour-over-coffee/music/bed.m4a'), 'mov')).rejects.toThrow(
      'no video stream',
    );
  });
});
