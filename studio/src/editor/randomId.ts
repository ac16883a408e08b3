/** An id that nobody else has chosen. `crypto.randomUUID` is there on secure origins only. */
export function randomId(): string {
  const words = crypto.getRandomValues(new Uint32Array(2));
  return [...words].map((word) => word.toString(36)).join('');
}
