/**
 * Runs the calls of one key one after the other; calls of different keys do not wait for each other. How an earlier call
 * ended does not matter to a later one.
 * @param signal of a call that may give up while it waits: it then fails with the signal's reason
 */
export type Turns = <Result>(
  key: string,
  call: () => Promise<Result>,
  signal?: AbortSignal,
) => Promise<Result>;

export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return (key, call, signal) => {
    const before = last.get(key);
    const turn = before ? unlessAborted(before, signal).then(call) : call();
    // Who gives up does not let the next one in before the earlier one has ended.
    const over = Promise.allSettled([before, turn]);
    last.set(key, over);
    void over.then(() => {
      if (last.get(key) === over) last.delete(key);
    });
    return turn;
  };
}

/** Waits for what never fails. */
function unlessAborted(promise: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = (): void => reject(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    void promise.then(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
  });
}
