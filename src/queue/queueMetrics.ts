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

/** Minutes of the past that {@link completedPerSecond} looks at. */
const RECENT_MINUTES = 5;

/** Jobs that were completed a second in the last full minutes; undefined where there has been none. */
export async function completedPerSecond(queue: Queue): Promise<number | undefined> {
  const { data } = await queue.getMetrics('completed', 0, RECENT_MINUTES - 1);
  const completed = data.reduce((sum, count) => sum + count, 0);
  return completed === 0 ? undefined : completed / (60 * data.length);
}

/** Taken for a queue that has not completed anything lately: a job in two seconds. */
const DEFAULT_PER_SECOND = 0.5;

/**
 * When to try again where `waiting` jobs fill the queue: when a quarter of them should have been worked off. Sooner,
 * many senders would come back for the one place that has become free.
 * @returns whole seconds, from 1 to 60
 */
export function retryAfterSeconds(waiting: number, perSecond = DEFAULT_PER_SECOND): number {
  return Math.min(60, Math.max(1, Math.ceil(waiting / 4 / perSecond)));
}
