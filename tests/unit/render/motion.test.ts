import { describe, expect, it } from 'vitest';
import { placePhoto } from '../../../src/render/slides/background.ts';
import { movementOf } from '../../../src/render/slides/motion.ts';

const FRAME = { width: 1280, height: 720 };
const WHOLE = { left: 0, top: 0, width: 1, height: 1 };
const motions = ['zoomIn', 'zoomOut', 'panLeft', 'panRight'] as const;
const steps = Array.from({ length: 101 }, (_, i) => i / 100);

describe('motion', () => {
  it.each(motions)('%s never shows what lies outside of the picture', (motion) => {
    const movement = movementOf({ motion }, FRAME, WHOLE);
    if (!movement) throw new Error('it does not move');
    for (const t of steps) {
      const { view } = movement.at(t);
      expect(view.left).toBeGreaterThanOrEqual(-1e-9);
      expect(view.top).toBeGreaterThanOrEqual(-1e-9);
      expect(view.left + view.width).toBeLessThanOrEqual(FRAME.width * movement.scale + 1e-6);
      expect(view.top + view.height).toBeLessThanOrEqual(FRAME.height * movement.scale + 1e-6);
      expect(view.width / view.height).toBeCloseTo(16 / 9, 6);
    }
  });

  it.each(motions)('%s starts and stops softly', (motion) => {
    const movement = movementOf({ motion }, FRAME, WHOLE);
    const left = (t: number): number => movement?.at(t).view.left ?? 0;
    const [start, middle, end] = [left(0.01) - left(0), left(0.51) - left(0.5), left(1) - left(0.99)];
    expect(Math.abs(start)).toBeLessThan(Math.abs(middle) / 10);
    expect(Math.abs(end)).toBeLessThan(Math.abs(middle) / 10);
  });

  it('zooms in and out between the same two views', () => {
    const [zoomIn, zoomOut] = [
      movementOf({ motion: 'zoomIn' }, FRAME, WHOLE),
      movementOf({ motion: 'zoomOut' }, FRAME, WHOLE),
    ];
    expect(zoomIn?.at(0).view).toEqual(zoomOut?.at(1).view);
    expect(zoomIn?.at(1).view).toEqual(zoomOut?.at(0).view);
  });

  it('stands still where nothing is asked for', () => {
    expect(movementOf({}, FRAME, WHOLE)).toBeUndefined();
    expect(movementOf({ motion: 'none' }, FRAME, WHOLE)).toBeUndefined();
  });
});

describe('focus', () => {
  it.each([
    { x: 0.1, y: 0.1, width: 0.2, height: 0.2 },
    { x: 0.8, y: 0.7, width: 0.2, height: 0.3 },
    { x: 0, y: 0, width: 1, height: 1 },
    { x: 0.4, y: 0.05, width: 0.02, height: 0.9 },
  ])('moves to %j, shows all of it, and stays there', (focus) => {
    const movement = movementOf({ focus }, FRAME, WHOLE);
    if (!movement) throw new Error('it does not move');
    const { view, light } = movement.at(1);
    expect(movement.at(0.6)).toEqual(movement.at(1));
    const source = { width: FRAME.width * movement.scale, height: FRAME.height * movement.scale };
    expect(view.left / source.width).toBeLessThanOrEqual(focus.x + 1e-9);
    expect((view.left + view.width) / source.width).toBeGreaterThanOrEqual(focus.x + focus.width - 1e-9);
    expect((view.top + view.height) / source.height).toBeGreaterThanOrEqual(focus.y + focus.height - 1e-9);
    // The light lies where the focus is shown.
    expect(light?.left).toBeCloseTo(((focus.x * source.width - view.left) / view.width) * FRAME.width, 6);
    expect(light?.strength).toBeGreaterThan(0.5);
    expect(movement.at(0).light?.strength).toBe(0);
  });
});

describe('the place of a photo', () => {
  it.each([
    [{ width: 4000, height: 3000 }, FRAME],
    [{ width: 1920, height: 1080 }, FRAME],
    [
      { width: 3000, height: 4000 },
      { width: 720, height: 1280 },
    ],
    [
      { width: 1000, height: 1000 },
      { width: 1080, height: 1080 },
    ],
  ])('is all of the frame and more for %j in %j', (photo, frame) => {
    const place = placePhoto(photo, frame);
    expect(Math.min(place.width, place.height)).toBeCloseTo(1, 9);
    expect(place.left + place.width / 2).toBeCloseTo(0.5, 9);
  });

  it.each([
    [{ width: 3000, height: 4000 }, FRAME],
    [
      { width: 1600, height: 900 },
      { width: 720, height: 1280 },
    ],
    [{ width: 4000, height: 500 }, FRAME],
  ])('is within the frame for %j in %j, which filling would lose', (photo, frame) => {
    const { left, top, width, height } = placePhoto(photo, frame);
    expect(Math.min(left, top)).toBeGreaterThanOrEqual(0);
    expect(Math.max(left + width, top + height)).toBeLessThanOrEqual(1);
    expect((width * frame.width) / (height * frame.height)).toBeCloseTo(photo.width / photo.height, 6);
  });

  it('lies on the other side where the words do', () => {
    const photo = { width: 3000, height: 4000 };
    const [plain, mirrored] = [placePhoto(photo, FRAME), placePhoto(photo, FRAME, true)];
    expect(mirrored).toMatchObject({ top: plain.top, width: plain.width, height: plain.height });
    expect(mirrored.left).toBeCloseTo(1 - plain.left - plain.width, 9);
  });
});
