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

/** Runs the calls of one key one after the other; calls of different keys do not wait for each other. */
export function createTurns() {
  const last = new Map<string, Promise<unknown>>();
  return async <Result>(key: string, call: () => Promise<Result>): Promise<Result> => {
    const before = last.get(key);
    const turn = before ? before.then(call, call) : call();
    last.set(key, turn);
    try {
      return await turn;
    } finally {
      if (last.get(key) === turn) last.delete(key);
    }
  };
}
