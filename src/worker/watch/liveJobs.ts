import { setTimeout as sleep } from 'node:timers/promises';
import { coalesce, singleFlight } from '../../concurrency/sharedCalls.ts';
import type { Logger } from '../../logger.ts';
import type { JobEvents } from '../../queue/events/jobEvents.ts';
import { parseQueueId } from '../../queue/queuedJob.ts';
import type { Health } from '../health.ts';
import type { PreviewWorkerClient, QueueMetrics } from '../previewWorkerClient.ts';
import { entryOf, type JobEntry } from '../records/jobList.ts';

/** What an operator sees of the queue at one moment. */
export interface QueueState extends Omit<QueueMetrics, 'oldestWaitingAgeSeconds'> {
  /** Whole seconds. */
  oldestWaitingAgeSeconds: number;
  /** Jobs that ended within the last minute. */
  finishedPerMinute: number;
  /** Workers that the queue knows. */
  workers: number;
  /** Of the jobs that were completed within the last quarter of an hour, from their start to their end. */
  durations: { count: number; p50Seconds?: number; p95Seconds?: number };
  health: Pick<Health, 'status' | 'checks'>;
}

export interface LiveListener {
  /** Only jobs of this project. */
  projectId?: string | undefined;
  job(entry: JobEntry): void;
  /** Left out where the queue as a whole is none of its business. */
  queue?: ((state: QueueState) => void) | undefined;
}

/** Tells any number of listeners how the jobs and the queue change, at the cost of one. */
export interface LiveJobs {
  /** @returns to be called when it has heard enough */
  listen(listener: LiveListener): () => void;
  close(): void;
}

/** What happens to a job within this time is told once. */
const JOBS_MS = 50;
/** Jobs that are asked for at once. */
const AT_ONCE = 20;
/** Jobs of which it is remembered what was told last. */
const REMEMBERED = 2000;
const QUEUE_MS = 1000;
/** Without anything that happens the queue is looked at as often as this, and its health at most. */
const IDLE_MS = 5000;
const MINUTE_MS = 60_000;
const RECENT_MS = 15 * MINUTE_MS;
/** Ended jobs that are looked at when the first one begins to listen, and that are counted at most. */
const RECENT_AT_START = 200;
const RECENT_MOST = 5000;

export function createLiveJobs(parts: {
  client: PreviewWorkerClient;
  events: Pick<JobEvents, 'listen'>;
  logger: Logger;
  health(): Promise<Health>;
}): LiveJobs {
  const { client, events, logger } = parts;
  const listeners = new Set<LiveListener>();
  let run: { stop(): void; welcome(listener: LiveListener): void } | undefined;

  return {
    listen(listener) {
      listeners.add(listener);
      run ??= start({ client, events, logger, listeners, health: parts.health });
      run.welcome(listener);
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        run?.stop();
        run = undefined;
      };
    },
    close() {
      listeners.clear();
      run?.stop();
      run = undefined;
    },
  };
}

function start(parts: {
  client: PreviewWorkerClient;
  events: Pick<JobEvents, 'listen'>;
  logger: Logger;
  listeners: ReadonlySet<LiveListener>;
  health(): Promise<Health>;
}) {
  const { client, events, logger, listeners } = parts;
  const changed = new Set<string>();
  const told = new Map<string, string>();
  const recent = createRecent();
  let isStopped = false;
  let state: QueueState | undefined;
  let toldState = '';
  let isQueueChanged = true;
  let queueLookedAt = 0;
  let health: { state: Health; at: number } | undefined;

  const quietly = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      // Where the queue is away this comes again and again; the page sees it by the health of the next state.
      logger.debug({ err: error }, 'what happens in the queue could not be told');
    }
  };

  const tellJob = async (id: string): Promise<void> => {
    const ref = parseQueueId(id);
    if (!ref) return;
    const status = await client.status(ref).catch(() => undefined);
    if (!status || isStopped) return;
    const entry = entryOf(status);
    const text = JSON.stringify(entry);
    if (told.get(id) === text) return;
    // Written anew at the end: the first ones are those that have been quiet for longest.
    told.delete(id);
    told.set(id, text);
    for (const key of told.keys()) {
      if (told.size <= REMEMBERED) break;
      told.delete(key);
    }
    recent.add(id, entry);
    for (const { projectId, job } of listeners) {
      if (projectId === undefined || projectId === entry.projectId) job(entry);
    }
  };
  const tellJobs = coalesce(async () => {
    while (changed.size > 0 && !isStopped) {
      const ids = [...changed].slice(0, AT_ONCE);
      for (const id of ids) changed.delete(id);
      await Promise.all(ids.map((id) => quietly(() => tellJob(id))));
      await sleep(JOBS_MS);
    }
  });

  const lookAtQueue = async (): Promise<void> => {
    if (![...listeners].some(({ queue }) => queue)) return;
    const isDue = isQueueChanged || Date.now() - queueLookedAt >= IDLE_MS;
    if (!isDue) return;
    isQueueChanged = false;
    queueLookedAt = Date.now();
    if (!health || Date.now() - health.at >= IDLE_MS)
      health = { state: await parts.health(), at: Date.now() };
    const [metrics, workers] = await Promise.all([client.queueMetrics(), client.workers()]);
    const { status, checks } = health.state;
    state = {
      ...metrics,
      oldestWaitingAgeSeconds: Math.round(metrics.oldestWaitingAgeSeconds),
      ...recent.measure(),
      workers: workers.length,
      health: { status, checks },
    };
    const text = JSON.stringify(state);
    if (text === toldState || isStopped) return;
    toldState = text;
    for (const { queue } of listeners) queue?.(state);
  };

  const stopListening = events.listen(({ queueId }) => {
    changed.add(queueId);
    isQueueChanged = true;
    void tellJobs();
  });
  const begun = quietly(async () => {
    const { jobs } = await client.list(
      { statuses: ['completed', 'failed', 'cancelled'] },
      { limit: RECENT_AT_START },
    );
    for (const job of jobs) recent.add(`${job.projectId}~${job.jobId}`, job);
  });
  const look = singleFlight(async () => {
    await begun;
    await quietly(lookAtQueue);
  });
  void look();
  const timer = setInterval(() => void look(), QUEUE_MS);

  return {
    /** Who comes later is told at once what the others know. */
    welcome({ queue }: LiveListener): void {
      if (state) queue?.(state);
      else isQueueChanged = true;
    },
    stop(): void {
      isStopped = true;
      clearInterval(timer);
      stopListening();
    },
  };
}

/** How many jobs ended lately, and how long they took. */
function createRecent() {
  const ended = new Map<string, { at: number; seconds: number | undefined }>();
  return {
    add(id: string, { status, startedAt, finishedAt }: JobEntry): void {
      if (finishedAt === undefined) return;
      const at = Date.parse(finishedAt);
      const took =
        startedAt !== undefined && status === 'completed' ? (at - Date.parse(startedAt)) / 1000 : undefined;
      ended.set(`${id} ${finishedAt}`, { at, seconds: took });
    },
    measure(now = Date.now()): Pick<QueueState, 'finishedPerMinute' | 'durations'> {
      for (const [key, { at }] of ended) {
        if (at < now - RECENT_MS || ended.size > RECENT_MOST) ended.delete(key);
      }
      const all = [...ended.values()];
      const seconds = all.flatMap((each) => each.seconds ?? []).sort((a, b) => a - b);
      const at = (share: number): number => seconds[Math.ceil(share * seconds.length) - 1] ?? 0;
      return {
        finishedPerMinute: all.filter((each) => each.at > now - MINUTE_MS).length,
        durations: {
          count: seconds.length,
          ...(seconds.length > 0 ? { p50Seconds: at(0.5), p95Seconds: at(0.95) } : {}),
        },
      };
    },
  };
}
