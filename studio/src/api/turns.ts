/** Lets so many things be done at the same time; more of them wait for their turn. */
export function createTurns(limit: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running < limit) running++;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      // Hands the turn on, or gives it back.
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
