import sharp, { type Sharp } from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  configureSharp,
  coverPicture,
  decodeLayer,
  probeImage,
  trimLayer,
} from '../../../src/media/picture/image.ts';

const [WIDTH, HEIGHT] = [64, 32];
type Colour = [number, number, number];
/** Upper left, upper right, lower left, lower right. */
const QUARTERS: Colour[] = [
  [200, 60, 50],
  [60, 160, 70],
  [50, 80, 190],
  [220, 200, 90],
];

beforeAll(() => configureSharp());

function picture(quarters: Colour[] = QUARTERS): Sharp {
  const data = Buffer.alloc(WIDTH * HEIGHT * 3);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const quarter = (y < HEIGHT / 2 ? 0 : 2) + (x < WIDTH / 2 ? 0 : 1);
      data.set(quarters[quarter] as Colour, (y * WIDTH + x) * 3);
    }
  }
  return sharp(data, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });
}

/** The colours in the middle of the quarters. */
async function shown(bytes: Buffer, width = WIDTH, height = HEIGHT): Promise<Colour[]> {
  const { data } = await coverPicture(bytes, width, height);
  return [1, 3].flatMap((row) =>
    [1, 3].map((column) => {
      const at = (Math.floor((height * row) / 4) * width + Math.floor((width * column) / 4)) * 3;
      return [...data.subarray(at, at + 3)] as Colour;
    }),
  );
}

function expectColours(found: Colour[], expected: Colour[], tolerance: number): void {
  found.forEach((colour, i) => {
    colour.forEach((value, c) => {
      expect(
        Math.abs(value - (expected[i]?.[c] ?? 0)),
        `${found} instead of ${expected}`,
      ).toBeLessThanOrEqual(tolerance);
    });
  });
}

describe('a picture is shown in its own colours', () => {
  it.each([
    ['JPEG', () => picture().jpeg({ quality: 95 }), 6],
    ['a progressive JPEG', () => picture().jpeg({ quality: 95, progressive: true }), 6],
    ['a JPEG in CMYK', () => picture().toColourspace('cmyk').jpeg({ quality: 95 }), 48],
    ['PNG', () => picture().png(), 0],
    ['a PNG with a palette', () => picture().png({ palette: true, colours: 16 }), 4],
    ['a PNG of 16 bits', () => picture().toColourspace('rgb16').png(), 1],
    ['WebP', () => picture().webp({ quality: 95 }), 8],
    ['WebP without loss', () => picture().webp({ lossless: true }), 0],
    ['AVIF', () => picture().avif({ quality: 90, effort: 1 }), 8],
    ['a JPEG in Display P3', () => picture().withIccProfile('p3').jpeg({ quality: 95 }), 6],
    ['a PNG in Display P3', () => picture().withIccProfile('p3').png(), 3],
    ['a PNG in CMYK by its profile', () => picture().withIccProfile('cmyk').jpeg({ quality: 98 }), 48],
  ] as const)('%s', async (_, make, tolerance) => {
    expectColours(await shown(await make().toBuffer()), QUARTERS, tolerance);
  });

  it.each([
    ['JPEG', () => picture().greyscale().jpeg({ quality: 95 })],
    ['PNG', () => picture().greyscale().png()],
    ['a PNG of 16 bits', () => picture().greyscale().toColourspace('grey16').png()],
  ] as const)('grey: %s', async (_, make) => {
    for (const [red, green, blue] of await shown(await make().toBuffer())) {
      expect(Math.max(red, green, blue) - Math.min(red, green, blue)).toBeLessThanOrEqual(1);
    }
  });

  it('Display P3 is converted, not only read: its numbers are others', async () => {
    const bytes = await picture().withIccProfile('p3').png().toBuffer();
    const numbers = await sharp(bytes).keepIccProfile().raw().toBuffer();
    expect(Math.abs((numbers[0] ?? 0) - 200)).toBeGreaterThan(5);
  });
});

describe('a picture is shown as it was held', () => {
  // Exif 2.32, 4.6.4 A: which quarter of the file is seen where.
  it.each([
    [1, [0, 1, 2, 3]],
    [2, [1, 0, 3, 2]],
    [3, [3, 2, 1, 0]],
    [4, [2, 3, 0, 1]],
    [5, [0, 2, 1, 3]],
    [6, [2, 0, 3, 1]],
    [7, [3, 1, 2, 0]],
    [8, [1, 3, 0, 2]],
  ] as const)('orientation %i', async (orientation, order) => {
    const bytes = await picture().withMetadata({ orientation }).jpeg({ quality: 95 }).toBuffer();
    const [width, height] = orientation > 4 ? [HEIGHT, WIDTH] : [WIDTH, HEIGHT];
    expect(await probeImage(bytes)).toMatchObject({ width, height });
    const expected = order.map((quarter) => QUARTERS[quarter] as Colour);
    expectColours(await shown(bytes, width, height), expected, 8);
  });
});

describe('what a picture lets through', () => {
  it.each(['png', 'webp', 'avif'] as const)('is known of %s', async (format) => {
    const half = picture().ensureAlpha(0.5);
    const bytes = await half.toFormat(format, { lossless: true, effort: 1 }).toBuffer();
    expect((await probeImage(bytes)).hasAlpha).toBe(true);
    const { rgba } = await decodeLayer(bytes, WIDTH, HEIGHT, 'inside');
    expect(Math.abs((rgba[3] ?? 0) - 128)).toBeLessThanOrEqual(2);
  });
});

describe('the empty edges of a picture', () => {
  it('are taken away', async () => {
    const bytes = await picture()
      .ensureAlpha()
      .extend({ top: 3, bottom: 4, left: 5, right: 40, background: '#00000000' })
      .png()
      .toBuffer();
    const layer = await decodeLayer(bytes, WIDTH + 45, HEIGHT + 7, 'inside');
    const trimmed = trimLayer(layer);
    expect([trimmed.width, trimmed.height]).toEqual([WIDTH, HEIGHT]);
    expect([...trimmed.rgba.subarray(0, 4)]).toEqual([...(QUARTERS[0] as Colour), 255]);
  });

  it('stay where there is nothing else', () => {
    const empty = { width: 2, height: 2, rgba: Buffer.alloc(16) };
    expect(trimLayer(empty)).toEqual(empty);
  });
});

describe('a damaged picture', () => {
  it.each(['jpeg', 'png', 'webp', 'avif'] as const)(
    'of %s is an error when it is decoded',
    async (format) => {
      const noise = sharp({
        create: {
          width: 256,
          height: 256,
          channels: 3,
          background: '#888',
          noise: { type: 'gaussian', mean: 120, sigma: 40 },
        },
      });
      const bytes = await noise.toFormat(format, { quality: 80, effort: 1 }).toBuffer();
      await expect(coverPicture(bytes.subarray(0, bytes.length / 2), 256, 256)).rejects.toThrow();
    },
  );
});
