import type { Queue } from 'bullmq';
import { PreviewError } from '../errors.ts';
import { type Pace, retryAfterSeconds } from './pace.ts';
import { parseQueueId } from './queuedJob.ts';
import { WAITING } from './queueMetrics.ts';

/** How many jobs may wait: of all projects, and of each, so that one project leaves room for the others. */
export interface QueueLimits {
  queueMax: number;
  projectQueueMax: number;
}

/** Decides who may join the queue. It keeps nothing outside this process: who is killed has taken no place from anybody. */
export interface Admission {
  /**
   * Lets a job in.
   * @returns to be called when the job is in the queue, and when it will not come
   * @throws PreviewError `queue_full`, `queue_unavailable`
   */
  admit(projectId: string): Promise<() => void>;
}

/** A count lets jobs in for so long; nobody is refused by one that is older than the question. */
const USED_MS = 20;
/**
 * Other processes may have counted at the same moment. So each lets in a quarter of those for whom it has found room, and
 * counts again when they have arrived.
 */
const SHARE = 1 / 4;

/** How many jobs there are: of all projects, and of each. */
interface Tally {
  all: number;
  of: Map<string, number>;
}

interface Count {
  at: number;
  waiting: Tally;
  /** Jobs that were on the way when the count was begun, and those that were let in since. */
  admitted: Tally;
}

export function createAdmission(parts: {
  queue: Pick<Queue, 'getJobCountByTypes' | 'getRanges'>;
  reach<Result>(call: () => Promise<Result>): Promise<Result>;
  pace: Pace;
  limits: QueueLimits;
}): Admission {
  const { queue, reach, pace } = parts;
  const { queueMax, projectQueueMax } = parts.limits;
  // The jobs of a project that may fill the queue need not be counted: for that the id of every job that waits is read.
  const isProjectLimited = projectQueueMax < queueMax;
  /** Jobs that were let in and have not arrived yet. */
  const coming = emptyTally();
  let onArrival = (): void => undefined;
  let last: Count | undefined;
  let counting: Promise<Count> | undefined;

  const countQueue = async (): Promise<Tally> => {
    const tally = emptyTally();
    if (!isProjectLimited) tally.all = await queue.getJobCountByTypes(...WAITING);
    else
      for (const id of await queue.getRanges([...WAITING], 0, -1))
        change(tally, parseQueueId(id)?.projectId ?? '', 1);
    return tally;
  };
  const count = async (): Promise<Count> => {
    const at = performance.now();
    const admitted = { all: coming.all, of: new Map(coming.of) };
    last = { at, waiting: await reach(countQueue), admitted };
    return last;
  };
  /** One count for all who ask before it is there; nobody is let in meanwhile. */
  const countOnce = (begin: () => Promise<Count>): Promise<Count> => {
    counting ??= begin().finally(() => {
      counting = undefined;
    });
    return counting;
  };
  const latest = async (): Promise<Count> =>
    !counting && last && performance.now() - last.at < USED_MS ? last : countOnce(count);
  /** Where all that a count has let in are on the way, only their arrival can change something. */
  const countAfter = ({ admitted }: Count): Promise<Count> =>
    countOnce(async () => {
      if (coming.all >= admitted.all)
        await new Promise<void>((resolve) => {
          onArrival = resolve;
        });
      return count();
    });

  const roomIn = ({ waiting, admitted }: Count, projectId: string): 'some' | 'usedUp' | 'none' => {
    const limits = [{ free: queueMax - waiting.all, used: admitted.all }];
    if (isProjectLimited)
      limits.push({ free: projectQueueMax - of(waiting, projectId), used: of(admitted, projectId) });
    if (limits.some(({ free }) => free <= 0)) return 'none';
    return limits.some(({ free, used }) => used >= free * SHARE) ? 'usedUp' : 'some';
  };

  const queueFull = async ({ waiting }: Count, projectId: string): Promise<PreviewError> => {
    await reach(() => pace.look());
    const seconds = retryAfterSeconds(waiting.all, pace.perSecond());
    const who =
      waiting.all < queueMax ? `${projectQueueMax} jobs of project "${projectId}"` : `${queueMax} jobs`;
    return new PreviewError('queue_full', `${who} are waiting; try again later.`, {
      retryAfterSeconds: seconds,
    });
  };

  return {
    async admit(projectId) {
      const askedAt = performance.now();
      let counted = await latest();
      for (;;) {
        const room = roomIn(counted, projectId);
        if (room === 'some') break;
        // A place may have become free since an older count.
        if (room === 'none' && counted.at >= askedAt) throw await queueFull(counted, projectId);
        counted = await (room === 'none' ? countOnce(count) : countAfter(counted));
      }
      change(counted.admitted, projectId, 1);
      change(coming, projectId, 1);
      return () => {
        change(coming, projectId, -1);
        onArrival();
      };
    },
  };
}

const emptyTally = (): Tally => ({ all: 0, of: new Map() });

const of = (tally: Tally, projectId: string): number => tally.of.get(projectId) ?? 0;

function change(tally: Tally, projectId: string, jobs: number): void {
  tally.all += jobs;
  const now = of(tally, projectId) + jobs;
  if (now === 0) tally.of.delete(projectId);
  else tally.of.set(projectId, now);
}
