import { describe, expect, it } from 'vitest';
import { rgbToYuv } from '../../../src/media/picture/convert.ts';
import type { YuvPicture } from '../../../src/media/picture/frame.ts';
import { drawOver, type Layer, mixOver, type Rgb } from '../../../src/media/picture/paint.ts';

const [WIDTH, HEIGHT] = [16, 12];
const flat = (color: Rgb): Promise<YuvPicture> => painted(() => color);

function painted(colorAt: (x: number, y: number) => readonly number[]): Promise<YuvPicture> {
  const rgb: number[] = [];
  for (let y = 0; y < HEIGHT; y++) for (let x = 0; x < WIDTH; x++) rgb.push(...colorAt(x, y).map(Math.round));
  return rgbToYuv({ width: WIDTH, height: HEIGHT, data: Buffer.from(rgb) });
}

const layerOf = (width: number, height: number, rgba: readonly number[]): Layer => ({
  width,
  height,
  rgba: Buffer.alloc(width * height * 4, Buffer.from(rgba)),
});

const mixed = (from: Rgb, to: readonly number[], share: number): number[] =>
  from.map((value, c) => value + ((to[c] as number) - value) * share);

/** The largest difference of a sample. */
const distance = (one: YuvPicture, other: YuvPicture): number =>
  one.data.reduce((most, value, i) => Math.max(most, Math.abs(value - (other.data[i] as number))), 0);

const GREEN: Rgb = [20, 180, 60];
const ORANGE = [250, 140, 10];

describe('painting on YUV is painting on RGB', () => {
  it.each([
    [2, 2, 'at even places'],
    [3, 5, 'at odd places'],
    [-2, -3, 'cut at the upper left'],
    [13, 9, 'cut at the lower right'],
  ])('a half transparent layer at %i, %i: %s', async (left, top) => {
    const picture = await flat(GREEN);
    drawOver(picture, layerOf(6, 5, [...ORANGE, 128]), left, top);
    const inside = (x: number, y: number): boolean => x >= left && x < left + 6 && y >= top && y < top + 5;
    const expected = await painted((x, y) => mixed(GREEN, ORANGE, inside(x, y) ? 128 / 255 : 0));
    expect(distance(picture, expected)).toBeLessThanOrEqual(1);
  });

  it('a layer that is not there leaves every byte', async () => {
    const picture = await flat(GREEN);
    const before = Buffer.from(picture.data);
    drawOver(picture, layerOf(6, 5, [...ORANGE, 0]), 1, 1);
    drawOver(picture, layerOf(6, 5, [...ORANGE, 255]), WIDTH, HEIGHT);
    expect(picture.data.equals(before)).toBe(true);
  });

  it('a colour whose share grows across and down, and never exceeds its limit', async () => {
    const picture = await flat(GREEN);
    const rows = Float32Array.from({ length: HEIGHT }, (_, y) => (1.2 * y) / HEIGHT);
    const columns = Float32Array.from({ length: WIDTH }, (_, x) => x / WIDTH);
    mixOver(picture, [250, 140, 10], rows, columns, 0.6);
    const share = (x: number, y: number) => Math.min(0.6, (rows[y] as number) * (columns[x] as number));
    const expected = await painted((x, y) => mixed(GREEN, ORANGE, share(x, y)));
    expect(distance(picture, expected)).toBeLessThanOrEqual(2);
  });
});
