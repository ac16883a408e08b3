/** Scripts that put no spaces between words (class SA of UAX 14): a dictionary says where a line may be broken. */
const UNSPACED = /[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const dictionary = new Intl.Segmenter('en', { granularity: 'word' });

/** Splits a text between the words of these scripts; every other text is one piece. */
export function splitUnspaced(text: string): string[] {
  if (!UNSPACED.test(text)) return [text];
  const pieces: string[] = [];
  let wasWord = true;
  for (const { segment, isWordLike } of dictionary.segment(text)) {
    const isWord = isWordLike === true && UNSPACED.test(segment);
    if (pieces.length === 0 || (isWord && wasWord)) pieces.push(segment);
    else pieces[pieces.length - 1] += segment;
    wasWord = isWord;
  }
  return pieces;
}

/** The same words with a zero width space between two that stand without one: Pango has no dictionary of its own. */
export const withBreaks = (text: string): string => splitUnspaced(text).join('\u200b');
