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
} as const satisfies Record<string, Theme>;

export type ThemeName = keyof typeof themes;
