/*
 * Knows which letters can be drawn with the fonts that fonts.ts has loaded in this process, and what follows from the letters
 * alone.
 */

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

// Pango keeps fonts for the life of the process, so this module does the same.
const main = new Characters();
const all = new Characters();
/** Of the fonts that do not come with the package. */
let optional: string | undefined;

/** Notes what a font has. @param isMain it is asked first, and comes with the package */
export function addCharacters(ranges: readonly [number, number][], isMain: boolean): void {
  all.add(ranges);
  if (isMain) main.add(ranges);
}

/** @param fingerprint of the fonts that do not come with the package; undefined where there are none */
export function nameOptionalFonts(fingerprint: string | undefined): void {
  optional = fingerprint;
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

/** The text that is drawn. An ellipsis replaces letters without a font. The result is empty if nothing is left. */
export function drawableWords(words: string): string {
  const characters = [...words];
  if (!characters.some(isMissing)) return words;
  let drawn = '';
  let isLeftOut = false;
  for (const character of characters) {
    // Spaces and marks between left-out letters are left out, too.
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

/** Scripts that need a common name for readers, and the package to install for them. */
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
  // One warning for Kana instead of two, and a limited list of single characters.
  return [...new Map([...found.values()].map((script) => [script.name, script])).values()].slice(0, 8);
}

/** Scripts that are written from right to left, by the first letter (UAX 9, P2). */
export function isRightToLeft(words: string): boolean {
  const first = /\p{L}/u.exec(words)?.[0] ?? '';
  return /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u.test(
    first,
  );
}
