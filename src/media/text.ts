import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
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
  '@expo-google-fonts/noto-sans-hebrew/400Regular/NotoSansHebrew_400Regular.ttf',
  '@expo-google-fonts/noto-sans-hebrew/700Bold/NotoSansHebrew_700Bold.ttf',
  '@expo-google-fonts/noto-color-emoji/400Regular/NotoColorEmoji_400Regular.ttf',
];

/** Text at this many dots per inch makes a point a pixel. */
const POINT_IS_PIXEL = 72;

/** Scripts that the fonts of the package have letters for, beside what all scripts share. */
const SCRIPTS = ['Latin', 'Greek', 'Cyrillic', 'Arabic', 'Hebrew', 'Devanagari'];
/** Other scripts that are written much, so that a warning can name them. */
const OTHERS = [
  ...['Han', 'Hiragana', 'Katakana', 'Hangul', 'Thai', 'Bengali', 'Tamil', 'Telugu', 'Gujarati', 'Gurmukhi'],
  ...['Kannada', 'Malayalam', 'Sinhala', 'Georgian', 'Armenian', 'Khmer', 'Lao', 'Myanmar', 'Ethiopic'],
];
let hasOtherFonts = false;

/**
 * Loads the fonts that come with the package, and those of a folder; Pango keeps them for the life of the process, so do
 * it once.
 * @param folder TTF and OTF files for more scripts
 */
export async function loadFonts(folder?: string): Promise<void> {
  const others = folder === undefined ? [] : await readdir(folder);
  const files = [
    ...FONT_FILES.map((file) => require.resolve(file)),
    ...others.filter((name) => /\.(ttf|otf)$/i.test(name)).map((name) => join(folder ?? '', name)),
  ];
  for (const fontfile of files) {
    await sharp({ text: { text: 'a', font: 'Noto Sans 10', fontfile, dpi: POINT_IS_PIXEL } })
      .raw()
      .toBuffer();
  }
  hasOtherFonts = files.length > FONT_FILES.length;
}

/** The scripts in `words` that would be shown as boxes; what fonts of an operator's folder have is not known. */
export function scriptsWithoutFont(words: string): string[] {
  if (hasOtherFonts || !FOREIGN.test(words)) return [];
  const named = OTHERS.filter((script) => new RegExp(`\\p{Script=${script}}`, 'u').test(words));
  return named.length > 0 ? named : ['an unusual script'];
}

/** A letter of none of the scripts that there are fonts for. */
const FOREIGN = new RegExp(
  `(?=\\p{L})[^${['Common', 'Inherited', ...SCRIPTS].map((script) => `\\p{Script=${script}}`).join('')}]`,
  'u',
);

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
