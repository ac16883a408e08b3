import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { encodeAnimation } from '../../../src/media/picture/webpAnimation.ts';

const [WIDTH, HEIGHT] = [96, 64];
const grey = (level: number) => ({
  width: WIDTH,
  height: HEIGHT,
  data: Buffer.alloc(WIDTH * HEIGHT * 3, level),
});
/** A slow fade: each frame hardly differs from the one before. */
const LEVELS = [40, 44, 48, 52, 56, 60, 64, 68];

describe('an animated WebP', () => {
  it('has its pictures, their times, and no end', async () => {
    const bytes = await encodeAnimation(
      LEVELS.map(grey),
      LEVELS.map((_, i) => 100 + i),
      60,
    );
    expect(await sharp(bytes, { animated: true }).metadata()).toMatchObject({
      format: 'webp',
      pages: LEVELS.length,
      width: WIDTH,
      pageHeight: HEIGHT,
      loop: 0,
      delay: LEVELS.map((_, i) => 100 + i),
    });
  });

  it('leaves nothing of a frame behind in the next one', async () => {
    const bytes = await encodeAnimation(
      LEVELS.map(grey),
      LEVELS.map(() => 80),
      60,
    );
    for (const [page, level] of LEVELS.entries()) {
      const shown = await sharp(bytes, { page }).removeAlpha().raw().toBuffer();
      for (const value of shown) expect(Math.abs(value - level)).toBeLessThanOrEqual(2);
    }
  });

  it('may have a single picture', async () => {
    const bytes = await encodeAnimation([grey(90)], [1000], 60);
    expect((await sharp(bytes).metadata()).width).toBe(WIDTH);
  });
});
