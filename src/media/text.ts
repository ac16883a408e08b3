import { createRequire } from 'node:module';
import sharp from 'sharp';

/** A rasterised block of words: RGBA, 8 bits, not premultiplied. */
export interface TextBlock {
  width: number;
  height: number;
  rgba: Buffer;
}

export interface TextStyle {
  weight: 'Regular' | 'SemiBold' | 'Bold';
  /** Pixels. */
  size: number;
  /** From baseline to baseline, as a factor of the font's own (1.36 times the size for Noto Sans). */
  lineHeight: number;
  /** `#rrggbb` */
  color: string;
  /** Widest line, in pixels. */
  width: number;
  align?: 'left' | 'centre';
}

const require = createRequire(import.meta.url);
const FONT_FILES = [
  '@expo-google-fonts/noto-sans/400Regular/NotoSans_400Regular.ttf',
  '@expo-google-fonts/noto-sans/600SemiBold/NotoSans_600SemiBold.ttf',
  '@expo-google-fonts/noto-sans/700Bold/NotoSans_700Bold.ttf',
  '@expo-google-fonts/noto-sans-arabic/400Regular/NotoSansArabic_400Regular.ttf',
  '@expo-google-fonts/noto-sans-arabic/700Bold/NotoSansArabic_700Bold.ttf',
  '@expo-google-fonts/noto-color-emoji/400Regular/NotoColorEmoji_400Regular.ttf',
];

/** Text at this many dots per inch makes a point a pixel. */
const POINT_IS_PIXEL = 72;

/** Loads the fonts that come with the package; Pango keeps them for the life of the process, so do it once. */
export async function loadFonts(): Promise<void> {
  for (const file of FONT_FILES) {
    const text = { text: 'a', font: 'Noto Sans 10', fontfile: require.resolve(file), dpi: POINT_IS_PIXEL };
    await sharp({ text }).raw().toBuffer();
  }
}

/** Lays words out with Pango, wrapped at `style.width`; a word longer than a line is broken. */
export async function layoutText(words: string, style: TextStyle): Promise<TextBlock> {
  const { data, info } = await sharp({
    text: {
      text: `<span foreground="${style.color}" line_height="${style.lineHeight}">${escapeMarkup(words)}</span>`,
      font: `Noto Sans ${style.weight} ${style.size}`,
      width: Math.floor(style.width),
      dpi: POINT_IS_PIXEL,
      rgba: true,
      wrap: 'word-char',
      ...(style.align ? { align: style.align } : {}),
    },
  })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, rgba: data };
}

/** Words are words: what looks like markup is shown as it was typed. Control characters are not drawn. */
export function escapeMarkup(words: string): string {
  return words
    .replace(/\p{Cc}/gu, (character) => (character === '\n' ? '\n' : ' '))
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;');
}
