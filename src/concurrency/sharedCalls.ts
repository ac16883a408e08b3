/** Who calls while one call is under way gets what that one answers. */
export function singleFlight<Result>(call: () => Promise<Result>): () => Promise<Result> {
  let underway: Promise<Result> | undefined;
  return () => {
    underway ??= call().finally(() => {
      underway = undefined;
    });
    return underway;
  };
}

/**
 * All who call while one call is under way have the next one in common: each gets the answer of a call that began after its
 * own.
 */
export function coalesce<Result>(call: () => Promise<Result>): () => Promise<Result> {
  let underway: Promise<unknown> = Promise.resolve();
  let next: Promise<Result> | undefined;
  return () => {
    next ??= underway
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        const begun = call();
        underway = begun;
        return begun;
      });
    return next;
  };
}
