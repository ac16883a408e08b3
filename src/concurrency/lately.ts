/** Spares whoever comes soon after a call that went well the same call. */
export function lately(call: () => Promise<void>, milliseconds: number): () => Promise<void> {
  let wentWell = Number.NEGATIVE_INFINITY;
  return async () => {
    const now = performance.now();
    if (now - wentWell < milliseconds) return;
    await call();
    wentWell = now;
  };
}
