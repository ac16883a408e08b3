import { describe, expect, it } from 'vitest';
import { rgbToYuv, yuvToRgb } from '../../../src/media/picture/convert.ts';
import { transitionPicture, type YuvPicture } from '../../../src/media/picture/frame.ts';

const flat = (r: number, g: number, b: number, width = 16, height = 8): Promise<YuvPicture> => {
  const data = Buffer.from(Array.from({ length: width * height }, () => [r, g, b]).flat());
  return rgbToYuv({ width, height, data });
};

describe('pictures', () => {
  it.each([
    ['black', [0, 0, 0], [16, 128, 128]],
    ['white', [255, 255, 255], [235, 128, 128]],
    ['red', [255, 0, 0], [63, 102, 240]],
    ['blue', [0, 0, 255], [32, 240, 118]],
  ])(
    '%s has the levels of BT.709 in the limited range',
    async (_, [r = 0, g = 0, b = 0], [y = 0, u = 0, v = 0]) => {
      const { data } = await flat(r, g, b);
      expect(Math.abs((data[0] ?? 0) - y)).toBeLessThanOrEqual(1);
      expect(Math.abs((data[16 * 8] ?? 0) - u)).toBeLessThanOrEqual(1);
      expect(Math.abs((data[16 * 8 + 32] ?? 0) - v)).toBeLessThanOrEqual(1);
    },
  );

  it('come back from YUV within two levels', async () => {
    for (const color of [
      [12, 200, 90],
      [250, 128, 3],
      [77, 77, 77],
    ] as const) {
      const { data: rgb } = await yuvToRgb(await flat(color[0], color[1], color[2]));
      for (const [c, value] of color.entries())
        expect(Math.abs((rgb[c] ?? 0) - value)).toBeLessThanOrEqual(2);
    }
  });

  it('of any grey are coded without colour, and come back without', async () => {
    for (let level = 0; level < 256; level++) {
      const picture = await flat(level, level, level);
      expect(picture.data.subarray(16 * 8).every((chroma) => chroma === 128)).toBe(true);
      const shown = [await yuvToRgb(picture), await yuvToRgb(picture, 6, 4)];
      for (const { data } of shown) {
        const [red = 0, green, blue] = data;
        expect([green, blue]).toEqual([red, red]);
        expect(Math.abs(red - level)).toBeLessThanOrEqual(1);
      }
    }
  });

  it('fade byte by byte to the weighted mean', async () => {
    const from = await flat(0, 0, 0);
    const to = await flat(255, 255, 255);
    const { data } = transitionPicture('fade', from, to, 0.25);
    expect(Math.abs((data[0] ?? 0) - (16 + (235 - 16) * 0.25))).toBeLessThanOrEqual(1);
    expect(data[16 * 8]).toBe(128);
  });

  it('slide and wipe half way show half of each', async () => {
    const from = await flat(0, 0, 0);
    const to = await flat(255, 255, 255);
    const row = (type: 'slide' | 'wipe') => [...transitionPicture(type, from, to, 0.5).data.subarray(0, 16)];
    expect(row('slide')).toEqual([...Array(8).fill(16), ...Array(8).fill(235)]);
    expect(row('wipe')).toEqual([...Array(8).fill(235), ...Array(8).fill(16)]);
  });
});
