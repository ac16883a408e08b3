import type { JobType, Queue } from 'bullmq';

/** The states of a job that no worker has taken yet, or that waits for its next attempt. */
export const WAITING = ['waiting', 'prioritized', 'delayed'] as const satisfies readonly JobType[];

/** The states of a job that has not ended. */
export const UNFINISHED = [...WAITING, 'active'] as const satisfies readonly JobType[];

export interface QueueDepth {
  /** Jobs by BullMQ's state. */
  counts: Record<string, number>;
  total: number;
  /** Jobs that wait for a worker. */
  waiting: number;
  oldestWaitingAgeSeconds: number;
}

export async function measureQueue(queue: Queue): Promise<QueueDepth> {
  const [counts, since] = await Promise.all([queue.getJobCounts(), oldestWaiting(queue)]);
  return {
    counts,
    total: Object.values(counts).reduce((sum, count) => sum + count, 0),
    waiting: WAITING.reduce((sum, state) => sum + (counts[state] ?? 0), 0),
    oldestWaitingAgeSeconds: since === undefined ? 0 : Math.max(0, (Date.now() - since) / 1000),
  };
}

/**
 * Milliseconds since the epoch. Within a priority the queue is in order of arrival, so the first job of each priority
 * is all that needs to be read; jobs can be large.
 */
async function oldestWaiting(queue: Queue): Promise<number | undefined> {
  const perPriority = await queue.getCountsPerPriority([1, 2, 3]);
  const firsts: number[] = [];
  let position = 0;
  for (const count of Object.values(perPriority)) {
    if (count > 0) firsts.push(position);
    position += count;
  }
  const jobs = await Promise.all(firsts.map((at) => queue.getJobs(['prioritized'], at, at, true)));
  const times = jobs.flat().map((job) => job?.timestamp ?? Number.POSITIVE_INFINITY);
  const oldest = Math.min(...times);
  return Number.isFinite(oldest) ? oldest : undefined;
}
