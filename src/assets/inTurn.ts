/** What is under way, by key; whoever comes later waits for it. */
export type Turns = Map<string, Promise<unknown>>;

/**
 * Runs the calls of one key one after the other; how an earlier one ended does not matter to a later one.
 * @throws what `call` throws; where `signal` is aborted while it waits, its reason
 */
export async function inTurn<Result>(
  turns: Turns,
  key: string,
  signal: AbortSignal,
  call: () => Promise<Result>,
): Promise<Result> {
  const turn = settled(turns.get(key), signal).then(call);
  turns.set(key, turn);
  try {
    return await turn;
  } finally {
    if (turns.get(key) === turn) turns.delete(key);
  }
}

async function settled(earlier: Promise<unknown> | undefined, signal: AbortSignal): Promise<void> {
  if (!earlier) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      signal.removeEventListener('abort', done);
      resolve();
    };
    if (signal.aborted) return done();
    signal.addEventListener('abort', done);
    earlier.then(done, done);
  });
  signal.throwIfAborted();
}
