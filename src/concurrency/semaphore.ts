/** Runs what it is given, and answers what that answers. */
export type Semaphore = <Result>(work: () => Promise<Result>) => Promise<Result>;

/**
 * Runs at most `limit` calls at a time. The others wait and start in the order in which they came. Work that itself waits for
 * the same semaphore may wait for ever.
 */
export function createSemaphore(limit: number): Semaphore {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running < limit) running++;
    else await new Promise<void>((begin) => waiting.push(begin));
    try {
      return await work();
    } finally {
      // The next one takes over at once, so that no newcomer slips in between.
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
