import type { Queue } from 'bullmq';

/** How fast the queue is worked off while there is something to do. */
export interface Pace {
  /** To be called every now and then: between two looks the pace is seen to change, not only minute by minute. */
  look(): Promise<void>;
  /** Jobs that end in a second, as of the last look. */
  perSecond(): number;
}

/** How many jobs had ended at one moment; milliseconds since the epoch. */
interface Sample {
  at: number;
  ended: number;
}

/** However many senders are refused, the queue is asked once in this time. */
const LOOK_MS = 1000;
/** The past that counts. */
const RECENT_MINUTES = 5;
/** Two looks that are further apart say nothing of the pace: most of the time there may have been nothing to do. */
const LONGEST_GAP_MS = 60_000;
/** What is believed of a queue before anything is known: a job in two seconds, with the weight of ten seconds. */
const BELIEVED_PER_SECOND = 0.5;
const BELIEVED_SECONDS = 10;

/** The queue counts its jobs whole minute by whole minute (BullMQ's metrics, which workers ask for); the rest is seen here. */
export function createPace(queue: Queue, now: () => number = Date.now): Pace {
  let minutes: number[] = [];
  let samples: Sample[] = [];
  let lookedAt = Number.NEGATIVE_INFINITY;

  return {
    async look() {
      if (now() - lookedAt < LOOK_MS) return;
      lookedAt = now();
      const [completed, failed] = await Promise.all(
        (['completed', 'failed'] as const).map((kind) => queue.getMetrics(kind, 0, RECENT_MINUTES - 1)),
      );
      const length = Math.max(completed?.data.length ?? 0, failed?.data.length ?? 0);
      minutes = Array.from({ length }, (_, i) => (completed?.data[i] ?? 0) + (failed?.data[i] ?? 0));
      const ended = (completed?.meta.count ?? 0) + (failed?.meta.count ?? 0);
      const oldest = now() - RECENT_MINUTES * 60_000;
      samples = [...samples.filter(({ at }) => at > oldest), { at: now(), ended }];
    },
    perSecond: () => paceOf(minutes, samples),
  };
}

/** Times in which nothing ended are left out: they tell of the senders, not of the workers. */
export function paceOf(minutes: readonly number[], samples: readonly Sample[]): number {
  const whole = minutes.filter((count) => count > 0).map((count) => ({ count, seconds: 60 }));
  const between = samples.slice(1).flatMap(({ at, ended }, i) => {
    const before = samples[i] as Sample;
    const seconds = (at - before.at) / 1000;
    const count = ended - before.ended;
    return count > 0 && at - before.at <= LONGEST_GAP_MS ? [{ count, seconds }] : [];
  });
  const seen = [...whole, ...between];
  const count = seen.reduce((sum, each) => sum + each.count, BELIEVED_PER_SECOND * BELIEVED_SECONDS);
  return count / seen.reduce((sum, { seconds }) => sum + seconds, BELIEVED_SECONDS);
}

/**
 * When to try again where `waiting` jobs fill the queue: when a quarter of them should have been worked off. Sooner,
 * many senders would come back for the one place that has become free.
 * @returns whole seconds, from 1 to 60
 */
export function retryAfterSeconds(waiting: number, perSecond: number): number {
  return Math.min(60, Math.max(1, Math.ceil(waiting / 4 / perSecond)));
}
