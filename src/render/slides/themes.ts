import type { Theme as ThemeName } from '../../job/previewJob.types.ts';

type Rgb = readonly [number, number, number];

/**
 * Colours of a slide. `veilOpacity` is how much of the veil lies between a photo and the words: enough for WCAG AA
 * (4.5 : 1) for `text`, `title` and `accent` over any photo, white or black; `tests/unit/render/themes.test.ts`
 * computes it.
 */
export interface Theme {
  veil: Rgb;
  veilOpacity: number;
  title: string;
  text: string;
  accent: string;
  /** Progress line still to come. */
  track: string;
  /** Where there is no photo: from the upper left to the lower right corner. */
  canvas: readonly [Rgb, Rgb];
}

export const themes = {
  midnight: {
    veil: [9, 12, 17],
    veilOpacity: 0.72,
    title: '#ffffff',
    text: '#e8ebf0',
    accent: '#ffc46b',
    track: '#ffffff55',
    canvas: [
      [38, 48, 66],
      [12, 15, 22],
    ],
  },
  paper: {
    veil: [250, 247, 242],
    veilOpacity: 0.88,
    title: '#16181d',
    text: '#2b2f37',
    accent: '#8f3d00',
    track: '#16181d44',
    canvas: [
      [252, 250, 246],
      [228, 221, 208],
    ],
  },
  forest: {
    veil: [10, 28, 23],
    veilOpacity: 0.76,
    title: '#fbfaf3',
    text: '#e4ebe2',
    accent: '#a8e07a',
    track: '#ffffff4d',
    canvas: [
      [28, 66, 54],
      [9, 26, 22],
    ],
  },
  mono: {
    veil: [0, 0, 0],
    veilOpacity: 0.74,
    title: '#ffffff',
    text: '#ededed',
    accent: '#ffffff',
    track: '#ffffff4d',
    canvas: [
      [46, 46, 46],
      [14, 14, 14],
    ],
  },
} as const satisfies Record<ThemeName, Theme>;

/** The theme of a slide, with the brand's colour as accent where there is one. */
export function themeOf(slide: { theme: ThemeName; brandColor?: string | undefined }): Theme {
  const theme: Theme = themes[slide.theme];
  return slide.brandColor ? { ...theme, accent: readable(slide.brandColor, theme) } : theme;
}

/** WCAG AA for text. */
const LEAST_CONTRAST = 4.5;

/** The colour itself, or the nearest mix with the theme's title colour that can be read over any photo. */
function readable(color: string, theme: Theme): string {
  const [from, to] = [parse(color), parse(theme.title)];
  const behind = [0, 255].map((photo) =>
    theme.veil.map((veil) => photo + (veil - photo) * theme.veilOpacity),
  );
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = from.map((value, i) => Math.round(value + ((to[i] as number) - value) * share));
    if (behind.every((below) => contrast(mixed, below) >= LEAST_CONTRAST)) {
      return `#${Buffer.from(mixed).toString('hex')}`;
    }
  }
  return theme.title;
}

const parse = (color: string): number[] => [...Buffer.from(color.slice(1, 7), 'hex')];

/** Contrast of two colours (WCAG 2.2). */
export function contrast(one: readonly number[], other: readonly number[]): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

function luminance(rgb: readonly number[]): number {
  const [r = 0, g = 0, b = 0] = rgb.map((value) => {
    const s = value / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
