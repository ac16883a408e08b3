/**
 * Decides who may join the queue, and never lets in more than fit: who asks waits for a count that begins after the
 * question, and so sees what others, of any process, have put there. All who ask meanwhile share the next count.
 */
export interface Admission {
  /** Takes a place. False where the queue is full. Call {@link settle} when the job is in the queue, or is not. */
  admit(): Promise<boolean>;
  settle(): void;
  /** True while nobody asks and nobody is on the way. */
  isIdle(): boolean;
}

export function createAdmission(limit: number, count: () => Promise<number>): Admission {
  /** Those that were let in and may not have been counted. */
  let inFlight = 0;
  let asking = 0;
  let onArrived = (): void => undefined;
  /** Those that ask now share it. */
  let next: Promise<{ free: number }> | undefined;
  let counting: Promise<unknown> = Promise.resolve();

  const arrived = (): Promise<void> =>
    new Promise((resolve) => {
      onArrived = resolve;
      if (inFlight === 0) resolve();
    });

  const round = async (before: Promise<unknown>): Promise<{ free: number }> => {
    await before.catch(() => undefined);
    // Who is on the way may be in a count or not, so all arrive first; nobody new is let in meanwhile.
    await arrived();
    next = undefined;
    return { free: limit - (await count()) };
  };

  return {
    async admit() {
      if (!next) {
        next = round(counting);
        counting = next;
      }
      asking++;
      try {
        const places = await next;
        if (places.free <= 0) return false;
        places.free--;
        inFlight++;
        return true;
      } finally {
        asking--;
      }
    },
    settle() {
      inFlight--;
      if (inFlight === 0) onArrived();
    },
    isIdle: () => asking + inFlight === 0,
  };
}

/** An {@link Admission} for each project, of the same limit; kept while somebody asks or is on the way. */
export function createProjectAdmissions(
  limit: number,
  count: (projectId: string) => Promise<number>,
): (projectId: string) => Admission {
  const known = new Map<string, Admission>();
  return (projectId) => {
    for (const [id, { isIdle }] of known) if (isIdle()) known.delete(id);
    const admission = known.get(projectId) ?? createAdmission(limit, () => count(projectId));
    known.set(projectId, admission);
    return admission;
  };
}
