/** A name that differs more than this from every candidate is not a typing mistake. */
const MAX_EDITS = 2;

/** The candidate that `name` is most likely a misspelling of; short names must match more closely. */
export function didYouMean(name: string, candidates: readonly string[]): string | undefined {
  const allowed = Math.min(MAX_EDITS, Math.floor(name.length / 2));
  return (
    candidates
      // Also keeps a name of a megabyte from being compared letter by letter.
      .filter((candidate) => Math.abs(candidate.length - name.length) <= allowed)
      .map((candidate) => ({ candidate, edits: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
      .filter(({ edits }) => edits <= allowed)
      .sort((a, b) => a.edits - b.edits)[0]?.candidate
  );
}

/** Levenshtein's distance, one row of the matrix at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
