import { passes } from './problem.ts';

/** Half a minute in all: as long as a service takes to come back from a restart. */
const PAUSES_MS = [1000, 2000, 4000, 8000, 15_000];

/**
 * Repeats something that failed for a passing reason. The pauses grow, and are at least as long as the service asked for.
 * @throws the last error
 */
export async function withPatience<Result>(
  work: () => Promise<Result>,
  pauses: readonly number[] = PAUSES_MS,
): Promise<Result> {
  for (const pause of pauses) {
    try {
      return await work();
    } catch (error) {
      if (!passes(error)) throw error;
      const wanted = (error.retryAfterSeconds ?? 0) * 1000;
      await new Promise((resolve) => setTimeout(resolve, Math.max(pause, wanted)));
    }
  }
  return work();
}
