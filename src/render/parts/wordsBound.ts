import type { TextStyle } from '../../media/text.ts';

/** Words of one style, and the gap above them. */
export interface Piece {
  words: string;
  style: Omit<TextStyle, 'width'>;
  gap: number;
}

/** Printable ASCII and the letters of Western Europe: a character is a glyph, and how wide one can be is known. */
const PLAIN = /^[\n\x20-\x7e\xa1-\xac\xae-\xff]*$/;
/** No glyph of {@link PLAIN} advances further in Noto Sans, in its size; the widest is Æ in bold. */
const WIDEST = 1.1;

/**
 * A height that the words do not exceed when they are wrapped at `width`, found without laying them out; undefined
 * where it cannot be known. Two lines that follow each other are together wider than the column, else the second
 * would have been set on the first.
 */
export function boundOfHeight(pieces: readonly Piece[], width: number): number | undefined {
  let height = 0;
  for (const [i, { words, style, gap }] of pieces.entries()) {
    if (!PLAIN.test(words)) return undefined;
    const lines = words.split('\n').reduce((sum, paragraph) => {
      return sum + 1 + Math.floor((2 * paragraph.length * WIDEST * style.size) / width);
    }, 0);
    height += (i === 0 ? 0 : Math.round(gap)) + lines * Math.round(style.size * style.leading);
  }
  return height;
}
