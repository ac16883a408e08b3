import type { TextStyle } from '../../media/text/text.ts';

/** Words of one style, and the gap above them. */
export interface Piece {
  words: string;
  style: Omit<TextStyle, 'width'>;
  gap: number;
}

/** Printable ASCII and the letters of Western Europe: a character is a glyph, and how wide one can be is known. */
const PLAIN = /^[\n\x20-\x7e\xa1-\xac\xae-\xff]*$/;
/** True for words of which every letter is in the fonts that come with the package, and is one glyph. */
export const isPlain = (words: string): boolean => PLAIN.test(words);

/**
 * How far characters advance at most, in sizes, whichever weight of Noto Sans they are set in (its hmtx tables); all others
 * of {@link PLAIN} no further than the widest, Æ in bold.
 */
const ADVANCES: readonly [most: number, characters: string][] = [
  [0.32, " !',.:;ijl·"],
  [0.5, '"()-/?IJ[\\]_frt{}°ÌÍÎÏìíîï'],
  [0.66, '#$*+0123456789<=>CELFPSTVYZ^abcdeghknopqsuvxyz|~ÇÈÉÊËÝàáâãäåçèéêëñòóôõöøùúûüýÿ£¥'],
  [0.9, '&@ABDGHKNOQRUXwßÀÁÂÃÄÅÑÒÓÔÕÖÙÚÛÜ'],
];
const WIDEST = 1.1;
const SPACE = 32;
/** In a column of fewer sizes a word may be broken anywhere, and nothing of this holds; no slide has one. */
const NARROWEST = 3;
/** Pango may set each glyph at a whole pixel. */
const ROUNDING = 0.5;

const advances = new Float64Array(256).fill(WIDEST);
for (const [most, characters] of ADVANCES)
  for (const character of characters) advances[character.charCodeAt(0)] = most;

/**
 * How many lines plain words take at most. Two lines that follow each other are together wider than the column, else the
 * second would have been set on the first; and no line ends before the next word would have gone beyond it.
 */
function linesBound(words: string, size: number, column: number): number {
  const advanceOf = (code: number): number => (advances[code] ?? WIDEST) * size + ROUNDING;
  const space = advanceOf(SPACE);
  let width = 0;
  let word = 0;
  let widestWord = 0;
  for (let i = 0; i < words.length; i++) {
    const code = words.charCodeAt(i);
    const advance = advanceOf(code);
    width += advance;
    word = code === SPACE ? 0 : word + advance;
    widestWord = Math.max(widestWord, word);
  }
  return 1 + Math.floor(width / Math.max(column / 2, column - widestWord - space));
}

/** A height that the words do not exceed when they are wrapped at `width`, found without laying them out; undefined where it cannot be known. */
export function boundOfHeight(pieces: readonly Piece[], width: number): number | undefined {
  let height = 0;
  for (const [i, { words, style, gap }] of pieces.entries()) {
    if (!isPlain(words) || width < NARROWEST * style.size) return undefined;
    let lines = 0;
    for (const paragraph of words.split('\n')) lines += linesBound(paragraph, style.size, width);
    height += (i === 0 ? 0 : Math.round(gap)) + lines * Math.round(style.size * style.leading);
  }
  return height;
}
