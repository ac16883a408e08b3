import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { useFontconfig } from '../config.ts';
import { readFontFacts } from './cmap.ts';

const require = createRequire(import.meta.url);
const PACKAGES = '@expo-google-fonts';
/** What has Latin, Greek and Cyrillic, and is asked for; all others are asked where it has no glyph. */
const MAIN = ['400Regular', '600SemiBold', '700Bold'].map(
  (weight) => `noto-sans/${weight}/NotoSans_${weight}.ttf`,
);
const OTHERS = [
  'noto-sans-arabic/400Regular/NotoSansArabic_400Regular.ttf',
  'noto-sans-arabic/700Bold/NotoSansArabic_700Bold.ttf',
  'noto-sans-hebrew/400Regular/NotoSansHebrew_400Regular.ttf',
  'noto-sans-hebrew/700Bold/NotoSansHebrew_700Bold.ttf',
  'noto-sans-symbols/400Regular/NotoSansSymbols_400Regular.ttf',
  'noto-sans-symbols-2/400Regular/NotoSansSymbols2_400Regular.ttf',
  'noto-sans-math/400Regular/NotoSansMath_400Regular.ttf',
  'noto-color-emoji/400Regular/NotoColorEmoji_400Regular.ttf',
];
/**
 * Families in the order in which they are asked for a letter; others come after them. Without it a font for formulas,
 * which has letters of Arabic that do not join, would be as good as one for Arabic.
 */
export const FAMILIES = ['', ' Arabic', ' Hebrew', ' Symbols', ' Symbols 2', ' Math']
  .map((name) => `Noto Sans${name}`)
  .join();
/** Weights of a font package that are used. */
const WEIGHTS = ['400Regular', '700Bold'];

/** Code points that a set of fonts has. */
class Characters {
  readonly #bits = new Uint8Array(0x110000 / 8);

  add(ranges: readonly [number, number][]): void {
    for (const [first, last] of ranges) {
      for (let c = first; c <= Math.min(last, 0x10ffff); c++) {
        this.#bits[c >> 3] = (this.#bits[c >> 3] as number) | (1 << (c & 7));
      }
    }
  }

  has(codePoint: number): boolean {
    return ((this.#bits[codePoint >> 3] as number) & (1 << (codePoint & 7))) !== 0;
  }
}

// Pango keeps fonts for the life of the process, and so does this module know of them.
const main = new Characters();
const all = new Characters();
/** Of the fonts that do not come with the package. */
let optional: string | undefined;

/**
 * Loads the fonts that come with the package, those of font packages that are installed beside them
 * (`@expo-google-fonts/noto-sans-…`), and those of a folder. Fonts of the machine are not used: every worker must make the
 * same pictures. Pango keeps fonts for the life of the process, so do it once.
 * @param folder TTF and OTF files for more scripts
 * @throws Error where a file of the folder is no font
 */
export async function loadFonts(folder?: string): Promise<void> {
  useFontconfig(fileURLToPath(new URL('../../fonts/fonts.conf', import.meta.url)));
  const others = folder === undefined ? [] : await readdir(folder);
  const added = [
    ...(await installedFonts()),
    ...others
      .filter((name) => /\.(ttf|otf)$/i.test(name))
      .sort()
      .map((name) => join(folder ?? '', name)),
  ];
  for (const file of MAIN) main.add(await register(require.resolve(`${PACKAGES}/${file}`)));
  for (const file of OTHERS) await register(require.resolve(`${PACKAGES}/${file}`));
  const fingerprints: string[] = [];
  for (const path of added) await register(path, fingerprints);
  optional =
    fingerprints.length > 0
      ? createHash('sha256').update(fingerprints.join()).digest('hex').slice(0, 16)
      : undefined;
}

async function register(fontfile: string, fingerprints: string[] = []): Promise<[number, number][]> {
  const { ranges, fingerprint } = await readFontFacts(fontfile).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`The font ${fontfile} cannot be used: ${reason}. Take it away, or replace it.`, {
      cause,
    });
  });
  await sharp({ text: { text: 'a', font: 'Noto Sans 10', fontfile, dpi: 72 } })
    .raw()
    .toBuffer();
  all.add(ranges);
  fingerprints.push(fingerprint);
  return ranges;
}

/** Files of the packages for single scripts that lie beside those of our own. */
async function installedFonts(): Promise<string[]> {
  const beside = dirname(dirname(require.resolve(`${PACKAGES}/noto-sans/package.json`)));
  const own = new Set(OTHERS.map((file) => file.split('/')[0]));
  const packages = (await readdir(beside)).filter((name) => /^noto-sans-/.test(name) && !own.has(name));
  const files = packages.sort().flatMap((name) => WEIGHTS.map((weight) => join(beside, name, weight)));
  const found = await Promise.all(
    files.map(async (path) =>
      (await readdir(path).catch(() => []))
        .filter((name) => name.endsWith('.ttf'))
        .map((name) => join(path, name)),
    ),
  );
  return found.flat();
}

/** Names the optional fonts that may decide how these words look; undefined where none can. */
export function fontsFor(words: string): string | undefined {
  if (optional === undefined) return undefined;
  return [...words].some((character) => isDrawn(character) && !main.has(character.codePointAt(0) ?? 0))
    ? optional
    : undefined;
}

/** What is not drawn needs no glyph: spaces, controls, joiners, variation selectors, tags. */
const isDrawn = (character: string): boolean =>
  !/[\p{White_Space}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u.test(character);

const isMissing = (character: string): boolean =>
  isDrawn(character) && !all.has(character.codePointAt(0) ?? 0);

/** What is drawn of the words: where no font has the letters, an ellipsis; nothing where nothing is left. */
export function drawableWords(words: string): string {
  const characters = [...words];
  if (!characters.some(isMissing)) return words;
  let drawn = '';
  let isLeftOut = false;
  for (const character of characters) {
    // Spaces and marks between letters that are left out go with them.
    const goesAlong = isLeftOut && /[\p{M}\p{Cf} ]/u.test(character);
    if (isMissing(character) || goesAlong) {
      isLeftOut = true;
      continue;
    }
    drawn += isLeftOut ? `… ${character}` : character;
    isLeftOut = false;
  }
  if (isLeftOut) drawn += '…';
  return /[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(drawn) ? drawn.replace(/… ([\p{P}])/gu, '…$1') : '';
}

/** Scripts whose names are not what their readers call them by, and what to install for them. */
const SCRIPTS: Record<string, { name: string; font: string }> = {
  Han: { name: 'Chinese characters', font: 'noto-sans-sc' },
  Hiragana: { name: 'Japanese (Hiragana)', font: 'noto-sans-jp' },
  Katakana: { name: 'Japanese (Katakana)', font: 'noto-sans-jp' },
  Hangul: { name: 'Korean (Hangul)', font: 'noto-sans-kr' },
};
const NAMED = [
  ...['Thai', 'Bengali', 'Tamil', 'Telugu', 'Gujarati', 'Gurmukhi', 'Kannada', 'Malayalam', 'Sinhala'],
  ...['Georgian', 'Armenian', 'Khmer', 'Lao', 'Myanmar', 'Ethiopic', 'Devanagari', 'Cherokee', 'Mongolian'],
  ...['Thaana', 'Syriac', 'Oriya', 'Balinese', 'Javanese', 'Tifinagh', 'Runic'],
];

/** A script, or single signs, that no font here can draw, and the package that could. */
export interface MissingScript {
  name: string;
  font?: string;
}

export function missingScripts(words: string): MissingScript[] {
  const missing = [...new Set([...words].filter(isMissing))];
  const found = new Map<string, MissingScript>();
  for (const character of missing) {
    const known = [...Object.keys(SCRIPTS), ...NAMED].find((script) =>
      new RegExp(`\\p{Script=${script}}`, 'u').test(character),
    );
    if (known) {
      found.set(known, SCRIPTS[known] ?? { name: known, font: `noto-sans-${known.toLowerCase()}` });
    } else {
      const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
      found.set(code, { name: `the sign U+${code}` });
    }
  }
  // One warning for Kana, not two; and a list of signs ends somewhere.
  return [...new Map([...found.values()].map((script) => [script.name, script])).values()].slice(0, 8);
}
