import type { Job, Worker } from 'bullmq';
import { settlesWithin } from '../concurrency/settlesWithin.ts';
import { PreviewError } from '../errors.ts';
import type { QueueBackend } from '../queue/queueBackend.ts';
import type { QueuedJob } from '../queue/queuedJob.ts';
import type { Tracing } from '../tracing.ts';
import { type Attempt, type AttemptParts, createAttempt } from './attempt/attempt.ts';
import { createHolds, LOCK_MS, STALLED_CHECK_MS } from './attempt/attemptLock.ts';
import { createIntake } from './attempt/intake.ts';
import type { DeadLetterOffice } from './deadLetters/deadLetters.ts';
import { workerName } from './workerName.ts';

export interface PreviewWorkerOptions extends Omit<AttemptParts, 'queue' | 'intake'> {
  backend: QueueBackend;
  queueName: string;
  deadLetters: Pick<DeadLetterOffice, 'bury' | 'buryMissed' | 'reconcile'>;
  tracing: Tracing;
  concurrency: number;
  /** How long {@link PreviewWorker.stop} may take; the last {@link GIVE_BACK_MS} of it are for giving jobs back. */
  shutdownGraceSeconds: number;
}

export interface PreviewWorker {
  start(): Promise<void>;
  /** Takes no more jobs, lets the running ones finish within the grace, gives the rest back to the queue. */
  stop(): Promise<void>;
  activeJobs(): number;
}

/** How often the workers of one job may die under it before it is given up. */
const MAX_STALLED = 5;
/** Minutes for which the queue remembers how many jobs ended; from that the client computes Retry-After. */
const RATE_MINUTES = 15;
/** How long a worker without a job waits for the queue to close its connection. */
const IDLE_CLOSE_MS = 1000;
/** How long the queue may take to get the jobs back that did not finish within the grace. */
const GIVE_BACK_MS = 3000;
/** How long to wait after the queue refused to hand out a job. */
const RETRY_MS = 1000;
/** How often what killed processes left half done is put right. */
const RECONCILE_MS = 60_000;

/** Takes jobs from the queue, and makes an attempt at each. */
export function createPreviewWorker(options: PreviewWorkerOptions): PreviewWorker {
  const { backend, deadLetters, metrics, logger } = options;
  const queue = backend.queue<QueuedJob, string>(options.queueName);
  const holds = createHolds((count) => metrics.activeJobs.set(count));
  let worker: Worker<QueuedJob, string> | undefined;
  let reconciling: NodeJS.Timeout | undefined;
  let stopped: Promise<void> | undefined;

  const reconcile = (): Promise<void> =>
    deadLetters.reconcile().catch((err: unknown) => logger.warn({ err }, 'reconciling is put off'));

  const intake = createIntake({
    ...options,
    onClosed: () => void worker?.pause(true),
    onOpened() {
      worker?.resume();
      void reconcile();
    },
  });

  const stop = async (): Promise<void> => {
    clearInterval(reconciling);
    intake.close();
    if (!worker) return;
    // BullMQ waits for its running jobs and its connection without a limit. Where none runs, only the latter is left.
    const closed = worker.close().catch(() => undefined);
    const finishMs = Math.max(0, options.shutdownGraceSeconds * 1000 - GIVE_BACK_MS);
    if (await settlesWithin(closed, holds.count() > 0 ? finishMs : Math.min(finishMs, IDLE_CLOSE_MS))) return;
    holds.abortAll(new PreviewError('shutting_down'));
    await settlesWithin(closed, GIVE_BACK_MS);
  };

  return {
    async start() {
      const attempt = traced(options.tracing, createAttempt({ ...options, queue, intake }, holds));
      worker = backend.worker<QueuedJob, string>(options.queueName, attempt, {
        concurrency: options.concurrency,
        name: workerName(),
        lockDuration: LOCK_MS,
        stalledInterval: STALLED_CHECK_MS,
        maxStalledCount: MAX_STALLED,
        runRetryDelay: RETRY_MS,
        metrics: { maxDataPoints: RATE_MINUTES },
      });
      // Among others that the queue takes nothing in: it is out of memory, or another one is to take its place.
      worker.on('error', () => void intake.look());
      worker.on('lockRenewalFailed', (jobIds: string[]) => holds.lost(jobIds));
      worker.on('locksRenewed', ({ jobIds }) => holds.renewed(jobIds));
      // Also of a job whose workers died too often: the queue itself gave it up.
      worker.on('failed', (job?: Job<QueuedJob>) => {
        if (job?.finishedOn) void deadLetters.buryMissed(job).catch(() => undefined);
      });
      void reconcile();
      reconciling = setInterval(reconcile, RECONCILE_MS);
    },
    stop() {
      stopped ??= stop().finally(() => void queue.close().catch(() => undefined));
      return stopped;
    },
    activeJobs: () => holds.count(),
  };
}

/** A span for each attempt, in the trace of the call that sent the job; the first tells how long the job waited. */
function traced(
  tracing: Tracing,
  attempt: Attempt,
): (job: Job<QueuedJob>, token?: string) => Promise<string> {
  return async (job, token = '') => {
    const { traceparent: parent, acceptedAt } = job.data;
    const attributes = { 'preview.queue_id': String(job.id), 'preview.attempt': job.attemptsMade + 1 };
    const span = tracing.start('attempt', { kind: 'consumer', parent, attributes });
    const accepted = Date.parse(acceptedAt);
    if (job.attemptsMade === 0 && accepted > 0)
      tracing
        .start('wait in the queue', { kind: 'consumer', parent: parent ?? span.traceparent, at: accepted })
        .end();
    try {
      const outcome = await attempt(job, token, span);
      span.set({ 'preview.outcome': outcome });
      span.end();
      return outcome;
    } catch (error) {
      span.end({ error });
      throw error;
    }
  };
}
