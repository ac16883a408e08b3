import { describe, expect, it } from 'vitest';
import type { YuvPicture } from '../../../src/media/picture/frame.ts';
import { resampleView } from '../../../src/media/picture/view.ts';
import { movementOf } from '../../../src/render/slides/motion.ts';

const FRAME = { width: 640, height: 360 };
const WHOLE = { left: 0, top: 0, width: 1, height: 1 };
const FRAMES = 90;

/** A picture with structure of many sizes in both directions. */
function texture(width: number, height: number): YuvPicture {
  const data = Buffer.alloc((width * height * 3) / 2, 128);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const waves =
        Math.sin(x / 9 + y / 31) + Math.sin(x / 23 - y / 13) + Math.sin(y / 7) + Math.sin(x / 41 + y / 17);
      data[y * width + x] = 128 + Math.round(24 * waves);
    }
  }
  return { width, height, data };
}

/**
 * How far the picture has moved from one frame to the next, in pixels: least squares over the brightness and its slopes
 * (Lucas and Kanade, 1981), with the slopes of both frames, in a window.
 */
function displacement(before: YuvPicture, after: YuvPicture, left: number, top: number, size: number) {
  let [xx, yy, xy, xt, yt] = [0, 0, 0, 0, 0];
  const at = ({ width, data }: YuvPicture, x: number, y: number): number => data[y * width + x] as number;
  for (let y = top; y < top + size; y++) {
    for (let x = left; x < left + size; x++) {
      const dx =
        (at(before, x + 1, y) - at(before, x - 1, y) + at(after, x + 1, y) - at(after, x - 1, y)) / 4;
      const dy =
        (at(before, x, y + 1) - at(before, x, y - 1) + at(after, x, y + 1) - at(after, x, y - 1)) / 4;
      const dt = at(after, x, y) - at(before, x, y);
      xx += dx * dx;
      yy += dy * dy;
      xy += dx * dy;
      xt += dx * dt;
      yt += dy * dt;
    }
  }
  const determinant = xx * yy - xy * xy;
  return { x: -(yy * xt - xy * yt) / determinant, y: -(xx * yt - xy * xt) / determinant };
}

function framesOf(motion: 'panLeft' | 'panRight' | 'zoomIn' | 'zoomOut') {
  const movement = movementOf({ motion }, FRAME, WHOLE);
  if (!movement) throw new Error('it does not move');
  const even = (length: number): number => 2 * Math.round((length * movement.scale) / 2);
  const source = texture(even(FRAME.width), even(FRAME.height));
  return Array.from({ length: FRAMES }, (_, i) => {
    const { view } = movement.at(i / (FRAMES - 1));
    return { view, picture: resampleView(source, view, FRAME.width, FRAME.height) };
  });
}

/** Where a point of the source is seen in a view. */
const seen = (at: number, from: number, length: number, size: number): number =>
  ((at - from) / length) * size;

describe.each(['panLeft', 'panRight', 'zoomIn', 'zoomOut'] as const)(
  '%s, measured in its frames',
  (motion) => {
    const frames = framesOf(motion);
    const [left, top, size] = [90, 60, 96];
    const moved = frames.slice(1).map(({ picture, view }, i) => {
      const before = frames[i] as (typeof frames)[number];
      // What lies in the middle of the window before is where now?
      const x = before.view.left + ((left + size / 2) / FRAME.width) * before.view.width;
      const y = before.view.top + ((top + size / 2) / FRAME.height) * before.view.height;
      return {
        measured: displacement(before.picture, picture, left, top, size),
        planned: {
          x: seen(x, view.left, view.width, FRAME.width) - (left + size / 2),
          y: seen(y, view.top, view.height, FRAME.height) - (top + size / 2),
        },
      };
    });

    it('goes where it should to a twentieth of a pixel, in every frame', () => {
      for (const { measured, planned } of moved) {
        expect(Math.abs(measured.x - planned.x)).toBeLessThan(0.05);
        expect(Math.abs(measured.y - planned.y)).toBeLessThan(0.05);
      }
    });

    it('never goes back, and changes its speed by less than a tenth of a pixel a frame', () => {
      const direction = Math.sign(moved.reduce((sum, { measured }) => sum + measured.x, 0));
      moved.forEach(({ measured }, i) => {
        expect(measured.x * direction).toBeGreaterThan(-0.02);
        const before = moved[i - 1]?.measured ?? measured;
        expect(Math.abs(measured.x - before.x)).toBeLessThan(0.1);
        expect(Math.abs(measured.y - before.y)).toBeLessThan(0.1);
      });
    });
  },
);
