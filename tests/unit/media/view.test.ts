import { describe, expect, it } from 'vitest';
import type { YuvPicture } from '../../../src/media/picture/frame.ts';
import { putOver, readOverlay } from '../../../src/media/picture/overlay.ts';
import { dimOutside, resampleView } from '../../../src/media/picture/view.ts';

const [WIDTH, HEIGHT] = [64, 32];

function picture(luma: (x: number, y: number) => number, chroma = 128): YuvPicture {
  const data = Buffer.alloc((WIDTH * HEIGHT * 3) / 2, chroma);
  for (let y = 0; y < HEIGHT; y++) for (let x = 0; x < WIDTH; x++) data[y * WIDTH + x] = luma(x, y);
  return { width: WIDTH, height: HEIGHT, data };
}

const WHOLE = { left: 0, top: 0, width: WIDTH, height: HEIGHT };
const slope = picture((x) => 16 + x * 3);

describe('a view of a picture', () => {
  it('is the picture itself where it shows all of it at its own size', () => {
    expect(resampleView(slope, WHOLE, WIDTH, HEIGHT)).toEqual(slope);
  });

  it('moves between pixels: half a pixel is half of the slope', () => {
    const moved = resampleView(slope, { ...WHOLE, left: 0.5 }, WIDTH, HEIGHT);
    for (const x of [4, 20, 40]) {
      const [here = 0, next = 0] = [slope.data[x], slope.data[x + 1]];
      expect(Math.abs((moved.data[x] as number) - (here + next) / 2)).toBeLessThanOrEqual(0.5);
    }
  });

  it('moves by hundredths of a pixel without a jump: no jitter in a slow pan', () => {
    const steep = picture((x) => (x % 16 < 8 ? 30 : 220));
    let before = resampleView(steep, WHOLE, 48, HEIGHT).data;
    for (let left = 0.02; left < 2; left += 0.02) {
      const now = resampleView(steep, { ...WHOLE, width: 48, left }, 48, HEIGHT).data;
      if (left > 0.03) {
        const jump = now
          .subarray(0, 48 * HEIGHT)
          .reduce((most, value, i) => Math.max(most, Math.abs(value - (before[i] as number))), 0);
        // 190 levels a pixel, a fiftieth of a pixel a step.
        expect(jump).toBeLessThanOrEqual(6);
      }
      before = now;
    }
  });

  it('repeats the edge outside of the picture', () => {
    const beyond = resampleView(slope, { ...WHOLE, left: -WIDTH }, WIDTH, HEIGHT);
    expect(new Set(beyond.data.subarray(0, WIDTH))).toEqual(new Set([16]));
  });
});

describe('an overlay read off black and white', () => {
  const paint = (below: number): YuvPicture => {
    // Left third nothing, middle third half of a grey of 100, right third opaque 200.
    const over = (x: number): number => (x < 20 ? below : x < 40 ? (below + 100) / 2 : 200);
    return picture(over);
  };

  it('gives over any picture what painting on it would have given', () => {
    const overlay = readOverlay(paint(16), paint(235));
    for (const level of [16, 77, 128, 235]) {
      const under = picture(() => level);
      const shown = putOver(under, overlay);
      const expected = paint(level);
      for (let x = 0; x < WIDTH; x++) {
        expect(
          Math.abs((shown.data[x] as number) - (expected.data[x] as number)),
          `${x} at ${level}`,
        ).toBeLessThanOrEqual(1);
      }
    }
  });
});

describe('a spotlight', () => {
  it('leaves what lies inside and dims the rest towards black', () => {
    const lit = picture(() => 116, 160);
    dimOutside(lit, { left: 16, top: 8, width: 32, height: 16, softness: 1, strength: 0.5 });
    expect(lit.data[16 * WIDTH + 32]).toBe(116);
    expect(lit.data[2 * WIDTH + 2]).toBe(66);
    expect(lit.data[WIDTH * HEIGHT]).toBe(144);
  });
});
