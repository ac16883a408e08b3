/** A server may say so often that it is working on it (RFC 9110, 15.2); more is an answer without an end. */
const MOST_INTERIM = 16;

/**
 * What a request needs so that interim answers (1xx) do not keep it busy: undici reads any number of them, and no other
 * limit counts their bytes.
 */
export function limitInterimAnswers(signal: AbortSignal): { signal: AbortSignal; onInfo: () => void } {
  const tooMany = new AbortController();
  let seen = 0;
  return {
    signal: AbortSignal.any([signal, tooMany.signal]),
    onInfo() {
      seen += 1;
      if (seen > MOST_INTERIM) tooMany.abort(new Error('The server sends interim answers without an end.'));
    },
  };
}
