/** How many interim answers (RFC 9110, 15.2) a server may send; with more, the answer never ends. */
const MOST_INTERIM = 16;

/**
 * Options that limit the interim answers (1xx) to a request. undici reads any number of them, and no other limit counts
 * their bytes.
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
