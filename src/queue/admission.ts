/**
 * Decides who may join the queue without asking the queue each time, and without ever letting in more than fit:
 * the depth is the last count plus everything that was let in and may not have been counted.
 */
export interface Admission {
  /** Takes a place. False where the queue is full. Call {@link settle} when the job is in the queue, or is not. */
  admit(): Promise<boolean>;
  settle(): void;
}

export function createAdmission(limit: number, count: () => Promise<number>): Admission {
  let counted = Number.POSITIVE_INFINITY;
  let sinceCount = 0;
  let inFlight = 0;
  let counting: Promise<void> | undefined;
  let onArrived = (): void => undefined;

  const recount = async (): Promise<void> => {
    // Who is on the way may be in a count or not, so all arrive first; nobody new is let in meanwhile.
    counted = Number.POSITIVE_INFINITY;
    sinceCount = 0;
    try {
      await new Promise<void>((resolve) => {
        onArrived = resolve;
        if (inFlight === 0) resolve();
      });
      counted = await count();
    } finally {
      counting = undefined;
    }
  };

  const take = (): boolean => {
    if (counted + sinceCount >= limit) return false;
    sinceCount++;
    inFlight++;
    return true;
  };

  return {
    async admit() {
      if (take()) return true;
      counting ??= recount();
      await counting;
      return take();
    },
    settle() {
      inFlight--;
      if (inFlight === 0) onArrived();
    },
  };
}

/** Projects whose counts are remembered; forgetting one costs a count. */
const REMEMBERED = 1000;

/** An {@link Admission} for each project, of the same limit. */
export function createProjectAdmissions(
  limit: number,
  count: (projectId: string) => Promise<number>,
): (projectId: string) => Admission {
  const known = new Map<string, Admission>();
  return (projectId) => {
    if (known.size > REMEMBERED) known.clear();
    const admission = known.get(projectId) ?? createAdmission(limit, () => count(projectId));
    known.set(projectId, admission);
    return admission;
  };
}
