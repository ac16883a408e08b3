import { describe, expect, it } from 'vitest';
import type { Theme } from '../../../src/job/previewJob.types.ts';
import { themeOf, themes } from '../../../src/render/slides/themes.ts';

/** Relative luminance and contrast of WCAG 2.2. */
function luminance(rgb: readonly number[]): number {
  const [r = 0, g = 0, b = 0] = rgb.map((value) => {
    const s = value / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
const contrast = (a: number, b: number): number => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
const parse = (color: string): number[] =>
  [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));

describe.each(Object.entries(themes))('the theme %s', (_, theme) => {
  it.each(['title', 'text', 'accent'] as const)(
    'keeps %s readable (AA) over a white and a black photo',
    (part) => {
      for (const photo of [0, 255]) {
        const behind = theme.veil.map((value) => photo + (value - photo) * theme.veilOpacity);
        expect(contrast(luminance(parse(theme[part])), luminance(behind))).toBeGreaterThanOrEqual(4.5);
      }
    },
  );
});

describe.each(Object.entries(themes))('the canvas of %s', (_, theme) => {
  it.each(['title', 'text', 'accent'] as const)('keeps %s readable (AA) without a veil', (part) => {
    for (const corner of theme.canvas) {
      expect(contrast(luminance(parse(theme[part])), luminance(corner))).toBeGreaterThanOrEqual(4.5);
    }
  });
});

describe('a brand colour', () => {
  it.each(['#000000', '#0000ff', '#7a0000', '#ffffff', '#ffe000', '#888888'])(
    'of %s is made readable (AA) over any photo in every theme',
    (brandColor) => {
      for (const theme of Object.keys(themes) as Theme[]) {
        const { accent, veil, veilOpacity } = themeOf({ theme, brandColor });
        for (const photo of [0, 255]) {
          const behind = veil.map((value) => photo + (value - photo) * veilOpacity);
          expect(contrast(luminance(parse(accent)), luminance(behind))).toBeGreaterThanOrEqual(4.5);
        }
      }
    },
  );

  it('is left as it is where it can be read', () => {
    expect(themeOf({ theme: 'midnight', brandColor: '#ffe000' }).accent).toBe('#ffe000');
  });
});
