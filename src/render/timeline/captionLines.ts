import { splitUnspaced } from '../../media/text/lineBreaks.ts';

/**
 * Cells on a line and lines of a caption, after the BBC's subtitle guidelines (37–42 characters, 2 lines). A Chinese,
 * Japanese or Korean character takes two cells.
 */
const LINE_CELLS = 42;
const LINES = 2;
/** A caption rather ends with its sentence, or its clause, where it is at least so full. */
const [SENTENCE_SHARE, CLAUSE_SHARE] = [0.35, 0.6];

/** Created once, because creating it takes longer than splitting a text. */
const graphemes = new Intl.Segmenter();

/** What is not broken, and whether a space lies before it. */
interface Piece {
  text: string;
  cells: number;
  isSpaced: boolean;
}

/** Breaks words into captions of one or two lines of about one length, at the ends of sentences where it can be. */
export function breakCaptions(words: string): string[][] {
  const pieces = piecesOf(words);
  const captions: string[][] = [];
  for (let start = 0; start < pieces.length; ) {
    const end = endOf(pieces, start);
    captions.push(breakLines(pieces.slice(start, end)));
    start = end;
  }
  return captions;
}

/** How many cells a text takes on a line. */
export const cellsOf = (text: string): number =>
  [...text].reduce((sum, character) => sum + (WIDE.test(character) ? 2 : MARK.test(character) ? 0 : 1), 0);

const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff00-\uff60]/u;
const MARK = /\p{M}/u;
/** What does not begin a line, and what does not end one (JIS X 4051; the common part of it). */
const CLOSING = /^[、。，．・：；！？」』）】〉》ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ]/u;
const OPENING = /[「『（【〈《]$/u;

/** Words, and characters of scripts that are written without spaces. */
function piecesOf(words: string): Piece[] {
  const pieces: Piece[] = [];
  for (const word of words.split(/\s+/).filter(Boolean)) {
    let isSpaced = true;
    for (const text of splitUnspaced(word).flatMap(unbroken)) {
      for (const part of cellsOf(text) > LINE_CELLS ? cut(text) : [text]) {
        pieces.push({ text: part, cells: cellsOf(part), isSpaced });
        isSpaced = false;
      }
    }
  }
  return pieces;
}

function unbroken(word: string): string[] {
  const parts: string[] = [];
  for (const { segment } of graphemes.segment(word)) {
    const last = parts.at(-1);
    const joins =
      last !== undefined &&
      (CLOSING.test(segment) || OPENING.test(last) || !(WIDE.test(segment) || WIDE.test(last.slice(-1))));
    if (joins) parts[parts.length - 1] = last + segment;
    else parts.push(segment);
  }
  return parts;
}

/** A word longer than a line, such as an address, in pieces of a line. */
function cut(word: string): string[] {
  const parts = [''];
  for (const { segment } of graphemes.segment(word)) {
    const last = parts.at(-1) as string;
    if (cellsOf(last + segment) > LINE_CELLS) parts.push(segment);
    else parts[parts.length - 1] = last + segment;
  }
  return parts;
}

function endOf(pieces: readonly Piece[], start: number): number {
  let end = start + 1;
  while (end < pieces.length && wrap(pieces.slice(start, end + 1)).length <= LINES) end++;
  if (end === pieces.length) return end;
  const most = lengthOf(pieces.slice(start, end));
  const ending = (mark: RegExp, share: number): number | undefined => {
    for (let at = end; at > start; at--) {
      if (lengthOf(pieces.slice(start, at)) < most * share) return undefined;
      if (mark.test(pieces[at - 1]?.text ?? '')) return at;
    }
    return undefined;
  };
  return (
    ending(/[.!?…。！？]["”’»)）」』]*$/u, SENTENCE_SHARE) ??
    ending(/[,;:–—、，；：]["”’»)]*$/u, CLAUSE_SHARE) ??
    end
  );
}

const lengthOf = (pieces: readonly Piece[]): number =>
  pieces.reduce((sum, { cells, isSpaced }, i) => sum + cells + (isSpaced && i > 0 ? 1 : 0), 0);

const join = (pieces: readonly Piece[]): string =>
  pieces.map(({ text, isSpaced }, i) => (isSpaced && i > 0 ? ` ${text}` : text)).join('');

/** As much on each line as fits. */
function wrap(pieces: readonly Piece[]): Piece[][] {
  const lines: Piece[][] = [];
  for (const piece of pieces) {
    const line = lines.at(-1);
    if (line && lengthOf([...line, piece]) <= LINE_CELLS) line.push(piece);
    else lines.push([piece]);
  }
  return lines;
}

/** The lines of one caption, as long as each other as can be. */
function breakLines(pieces: readonly Piece[]): string[] {
  if (lengthOf(pieces) <= LINE_CELLS) return [join(pieces)];
  const first = wrap(pieces)[0]?.length ?? 1;
  let best = first;
  let least = Number.POSITIVE_INFINITY;
  for (let at = 1; at <= first; at++) {
    const [upper, lower] = [lengthOf(pieces.slice(0, at)), lengthOf(pieces.slice(at))];
    if (lower > LINE_CELLS) continue;
    if (Math.abs(upper - lower) <= least) {
      least = Math.abs(upper - lower);
      best = at;
    }
  }
  return [join(pieces.slice(0, best)), join(pieces.slice(best))].filter(Boolean);
}
