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

/**
 * Lets one caller go on in each turn of the event loop. What the first one does until it waits, and what comes of that, is
 * done before the next one begins, where else they would go step by step side by side.
 */
export function oneEachTurn(): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return () => {
    const mine = last;
    last = last.then(() => new Promise((resolve) => setImmediate(resolve)));
    return mine;
  };
}
