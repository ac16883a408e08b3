import { hostname } from 'node:os';
import { type Job, UnrecoverableError, WaitingError, type Worker } from 'bullmq';
import { type AssetSources, loadAssets } from '../assets/resolveAssets.ts';
import { asPreviewError, type InputError, PreviewError } from '../errors.ts';
import type { JobRecord, Progress } from '../job/jobRecord.ts';
import type { PreviewJob } from '../job/previewJob.types.ts';
import { validatePreviewPayload } from '../job/validatePreviewPayload.ts';
import type { Logger } from '../logger.ts';
import type { QueueBackend } from '../queue/queueBackend.ts';
import { parseQueueId, type QueuedJob } from '../queue/queuedJob.ts';
import type { PartReport } from '../render/partMaker.ts';
import type { ArtifactStore } from '../storage/artifactStore.ts';
import { inSpan, type Span, type Tracing } from '../tracing.ts';
import { keepHistory } from './attemptHistory.ts';
import { type Failure, failedReason, withStep } from './deadLetter.ts';
import type { DeadLetterOffice } from './deadLetters.ts';
import type { PreviewMetrics } from './previewMetrics.ts';
import type { RenderControl, RenderPool } from './renderProcess.ts';
import { webhookOf } from './webhooks/webhookMessage.ts';

export interface PreviewWorkerOptions {
  backend: QueueBackend;
  queueName: string;
  store: ArtifactStore;
  renderPool: RenderPool;
  deadLetters: Pick<DeadLetterOffice, 'bury' | 'buryMissed' | 'reconcile'>;
  metrics: PreviewMetrics;
  logger: Logger;
  tracing: Tracing;
  concurrency: number;
  jobTimeoutSeconds: number;
  /** How long {@link PreviewWorker.stop} may take; the last {@link GIVE_BACK_MS} of it are for giving jobs back. */
  shutdownGraceSeconds: number;
  assets: Pick<AssetSources, 'fetcher' | 'maxBytes' | 'turns'>;
}

export interface PreviewWorker {
  start(): Promise<void>;
  /** Takes no more jobs, lets the running ones finish within the grace, gives the rest back to the queue. */
  stop(): Promise<void>;
  activeJobs(): number;
}

/**
 * The lock is renewed by this process, which never decodes. When it dies, what is left of the lock runs out, and the
 * job is taken up at the second check after that: in 5 to 12 s. A check is one small script, whoever of the workers runs
 * it; at 5 s between checks `npm run chaos` saw 16 s.
 */
const LOCK_MS = 10_000;
const STALLED_CHECK_MS = 1_000;
/** How often the workers of one job may die under it before it is given up. */
const MAX_STALLED = 5;
/** Minutes for which the queue remembers how many jobs ended; from that the client computes Retry-After. */
const RATE_MINUTES = 15;
/** How often a running job looks whether it was cancelled, and how often it reports progress. */
const CANCEL_CHECK_MS = 500;
const PROGRESS_MS = 250;
/** How long the queue may take to get the jobs back that did not finish within the grace. */
const GIVE_BACK_MS = 2000;
/** How often what killed processes left half done is put right. */
const RECONCILE_MS = 60_000;

/** What the queue calls the worker of this process. */
export const workerName = (): string => `${hostname()}-${process.pid}`;

type Outcome = Pick<JobRecord, 'artifacts' | 'warnings'> & Partial<Pick<JobRecord, 'plan' | 'timings'>>;

/** An attempt that runs in this process. */
interface Running {
  control: AbortController;
  /** When the queue last said that the job is ours; `performance.now()`. */
  lockedAt: number;
}

/** The reason of an abort where another worker may have the job by now: nothing of this attempt may count. */
class LockLost extends Error {}

export function createPreviewWorker(options: PreviewWorkerOptions): PreviewWorker {
  const { backend, store, renderPool, metrics, concurrency, deadLetters } = options;
  const running = new Map<string, Running>();
  let worker: Worker<QueuedJob, string> | undefined;
  let reconciling: NodeJS.Timeout | undefined;

  /** One attempt at a job. What it returns is not used: how a job ended is in its record. */
  const attempt = async (job: Job<QueuedJob>, token = '', span: Span): Promise<string> => {
    const checked = validatePreviewPayload(job.data.job);
    if (!checked.ok) return refuse(job, checked.errors);
    const payload = checked.job;
    const { projectId, jobId, requestId, dryRun } = payload;
    const attemptsMade = job.attemptsMade + 1;
    const logger = options.logger.child({ requestId, jobId, projectId, attempt: attemptsMade });
    const ended = await store.getRecord(projectId, jobId);
    if (ended) return ended.status;

    const startedAt = new Date();
    const complete = (outcome: Outcome): Promise<JobRecord> =>
      store.putRecord({
        projectId,
        jobId,
        requestId,
        fingerprint: job.data.fingerprint,
        dryRun,
        createdAt: job.data.acceptedAt,
        startedAt: startedAt.toISOString(),
        finishedAt: new Date().toISOString(),
        attemptsMade,
        status: 'completed',
        ...webhookOf(job.data),
        ...outcome,
      });
    const control = new AbortController();
    const present: Running = { control, lockedAt: performance.now() };
    running.set(String(job.id), present);
    metrics.activeJobs.set(running.size);
    const stopWatching = watch(payload, present);
    const history = keepHistory(job, attemptsMade, workerName());
    let stage: Progress['stage'] = 'assets';
    logger.info('job started');
    void history.started();
    try {
      const report = throttled((progress) => void job.updateProgress({ ...progress }).catch(() => undefined));
      const outcome = await perform(
        payload,
        {
          signal: control.signal,
          onProgress: (progress) => {
            stage = progress.stage;
            report(progress);
          },
          ...reports(logger),
        },
        span,
      );
      await holdLock(job, token, control.signal);
      const record = await complete(outcome);
      if (record.status === 'cancelled') throw new PreviewError('cancelled');
      if (record.startedAt !== startedAt.toISOString()) {
        logger.info('another attempt had ended the job');
        return record.status;
      }
      const seconds = (Date.now() - startedAt.getTime()) / 1000;
      measureSuccess(payload, seconds);
      logger.info({ seconds, timings: outcome.timings }, 'job completed');
      return record.status;
    } catch (thrown) {
      if (thrown instanceof LockLost) {
        // Who has the job by now ends it; nothing of this attempt is told but this.
        logger.warn('the lock was lost, the attempt was stopped');
        void history.ended('lockLost');
        throw thrown;
      }
      const error = asPreviewError(thrown, 'render_failed');
      const { code, message, retryable } = error;
      if (code === 'cancelled') {
        metrics.jobsTotal.inc({ outcome: 'cancelled' });
        logger.info('job cancelled');
        return 'cancelled';
      }
      if (code === 'shutting_down') {
        logger.info('job given back to the queue');
        void history.ended('givenBack');
        // No attempt is lost, and the next one goes on from the parts in the store.
        await job.moveToWait(token);
        throw new WaitingError();
      }
      const place = withStep({ stage, ...error.place }, payload);
      await history.ended('failed', error, place);
      if (retryable && attemptsMade < (job.opts.attempts ?? 1)) {
        metrics.jobsTotal.inc({ outcome: 'retry' });
        logger.warn({ err: error }, 'attempt failed, the job will be retried');
        throw error;
      }
      await holdLock(job, token, control.signal);
      const failure = { error: { code, message }, place, startedAt: startedAt.toISOString(), attemptsMade };
      metrics.jobsTotal.inc({ outcome: 'failure' });
      logger.error({ err: error, place }, 'job failed');
      return failForGood(job, failure);
    } finally {
      stopWatching();
      running.delete(String(job.id));
      metrics.activeJobs.set(running.size);
    }
  };

  /** What a job is: bring its assets in, plan or render it. */
  const perform = async (payload: PreviewJob, control: RenderControl, span: Span): Promise<Outcome> => {
    const { signal } = control;
    const assets = await inSpan(span, 'assets', () =>
      loadAssets(payload, { store, signal, ...options.assets }),
    );
    if (payload.dryRun) {
      const plan = await inSpan(span, 'plan', () => renderPool.plan({ job: payload, assets }, control));
      return { artifacts: [], warnings: plan.warnings, plan };
    }
    const result = await inSpan(span, 'render', (render) =>
      renderPool
        .render(
          { job: payload, assets },
          {
            ...control,
            onPart: (part) => {
              control.onPart?.(part);
              tracePart(render, part);
            },
          },
        )
        .catch(retryWhereCollected),
    );
    const { artifacts, warnings, timings, segments, cpuSeconds, firstSegmentSeconds } = result;
    metrics.segmentsTotal.inc({ result: 'reused' }, segments.reused);
    metrics.segmentsTotal.inc({ result: 'rendered' }, segments.total - segments.reused);
    metrics.renderCpu.inc(cpuSeconds);
    if (firstSegmentSeconds !== undefined) metrics.firstSegment.observe(firstSegmentSeconds);
    return { artifacts, warnings, timings };
  };

  /**
   * Aborts the attempt at its deadline, when its lock has expired without a word from the queue, and when the job is
   * cancelled: by its record, which any process can write.
   */
  const watch = ({ projectId, jobId }: PreviewJob, attempt: Running): (() => void) => {
    const { control } = attempt;
    const seconds = options.jobTimeoutSeconds;
    const deadline = setTimeout(() => {
      control.abort(new PreviewError('render_timeout', `The job took longer than ${seconds} s.`));
    }, seconds * 1000);
    const looking = setInterval(async () => {
      if (performance.now() - attempt.lockedAt > LOCK_MS) control.abort(new LockLost('the lock has expired'));
      const record = await store.getRecord(projectId, jobId).catch(() => undefined);
      if (record?.status === 'cancelled') control.abort(new PreviewError('cancelled'));
    }, CANCEL_CHECK_MS);
    return () => {
      clearTimeout(deadline);
      clearInterval(looking);
    };
  };

  /** The client checks what it sends, so this came from something else, or from a client of another version. */
  const refuse = (job: Job<QueuedJob>, errors: readonly InputError[]): Promise<never> => {
    const complaints = errors.map(({ pointer, message }) => `${pointer} ${message}`).join(' ');
    const message = `The job does not match the schema: ${complaints}`;
    metrics.jobsTotal.inc({ outcome: 'invalid' });
    options.logger.error({ ...parseQueueId(String(job.id)), errors }, 'job refused');
    return failForGood(job, {
      error: { code: 'invalid_payload', message },
      attemptsMade: job.attemptsMade + 1,
    });
  };

  /** Where the letter or the record cannot be written now, the job fails without them and is buried later. */
  const failForGood = async (job: Job<QueuedJob>, failure: Failure): Promise<never> => {
    if (parseQueueId(String(job.id))) {
      await deadLetters
        .bury(job, failure)
        .catch((err: unknown) => options.logger.error({ err, jobId: job.id }, 'the burial is put off'));
    }
    throw new UnrecoverableError(failedReason(failure.error));
  };

  const reconcile = (): Promise<void> =>
    deadLetters.reconcile().catch((err: unknown) => options.logger.warn({ err }, 'reconciling is put off'));

  const measureSuccess = ({ dryRun, previewRequest }: PreviewJob, seconds: number): void => {
    metrics.jobsTotal.inc({ outcome: dryRun ? 'dry_run' : 'success' });
    if (!dryRun) metrics.jobDuration.observe({ format: previewRequest.options?.format ?? 'mp4' }, seconds);
  };

  return {
    async start() {
      worker = backend.worker<QueuedJob, string>(options.queueName, traced(options.tracing, attempt), {
        concurrency,
        name: workerName(),
        lockDuration: LOCK_MS,
        stalledInterval: STALLED_CHECK_MS,
        maxStalledCount: MAX_STALLED,
        metrics: { maxDataPoints: RATE_MINUTES },
      });
      worker.on('lockRenewalFailed', (jobIds: string[]) => {
        for (const id of jobIds)
          running.get(id)?.control.abort(new LockLost('another worker may have the job'));
      });
      worker.on('locksRenewed', ({ jobIds }) => {
        for (const id of jobIds) {
          const attempt = running.get(id);
          if (attempt) attempt.lockedAt = performance.now();
        }
      });
      // Also of a job whose workers died too often: the queue itself gave it up.
      worker.on('failed', (job?: Job<QueuedJob>) => {
        if (job?.finishedOn) void deadLetters.buryMissed(job).catch(() => undefined);
      });
      void reconcile();
      reconciling = setInterval(reconcile, RECONCILE_MS);
    },
    async stop() {
      clearInterval(reconciling);
      if (!worker) return;
      // BullMQ waits for its running jobs and its connection without a limit.
      const closed = worker.close().catch(() => undefined);
      const finishMs = Math.max(0, options.shutdownGraceSeconds * 1000 - GIVE_BACK_MS);
      if (await settlesWithin(closed, finishMs)) return;
      for (const { control } of running.values()) control.abort(new PreviewError('shutting_down'));
      await settlesWithin(closed, GIVE_BACK_MS);
    },
    activeJobs: () => running.size,
  };
}

/** A span for each attempt, in the trace of the call that sent the job; the first tells how long the job waited. */
function traced(
  tracing: Tracing,
  attempt: (job: Job<QueuedJob>, token: string | undefined, span: Span) => Promise<string>,
): (job: Job<QueuedJob>, token?: string) => Promise<string> {
  return async (job, token) => {
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

/** The child told when it worked on the part; the clock is the same. */
function tracePart(render: Span, { kind, key, reused, startedAt, endedAt }: PartReport): void {
  const attributes = { 'preview.part.key': key, 'preview.part.reused': reused };
  render.child(`part ${kind}`, { at: startedAt, attributes }).end({ at: endedAt });
}

/** What the render child has to say becomes lines of its job. */
function reports(logger: Logger): Pick<RenderControl, 'onPart' | 'onComplaint'> {
  return {
    onPart: ({ kind, key, reused, startedAt, endedAt }) =>
      logger.debug({ part: kind, key, reused, ms: endedAt - startedAt }, reused ? 'part found' : 'part made'),
    onComplaint: (line) => logger.warn({ source: 'render child' }, line),
  };
}

/**
 * To be called before an attempt's outcome is written: the queue looks whether the lock still has this attempt's token,
 * and renews it. While it is out of reach, nobody can say, so it waits for the answer, or until the lock is known to be lost.
 * @throws LockLost
 */
async function holdLock(job: Job, token: string, signal: AbortSignal): Promise<void> {
  const lost = new Promise<never>((_, reject) => {
    const onAbort = (): void => {
      if (signal.reason instanceof LockLost) reject(signal.reason);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  lost.catch(() => undefined);
  const held = await Promise.race([job.extendLock(token, LOCK_MS), lost]);
  if (Number(held) !== 1) throw new LockLost('another attempt has the lock');
}

/** A part that was garbage collected in the moment between being found and being read: another attempt makes it. */
function retryWhereCollected(error: unknown): never {
  if (!(error instanceof PreviewError) || error.code !== 'artifact_not_found') throw error;
  throw new PreviewError('render_failed', error.message, { cause: error, place: error.place });
}

/** Passes on at most one report in {@link PROGRESS_MS}, and each change of the stage. */
function throttled(report: (progress: Progress) => void): (progress: Progress) => void {
  let last = 0;
  let stage: Progress['stage'] | undefined;
  return (progress) => {
    if (progress.stage === stage && Date.now() - last < PROGRESS_MS) return;
    last = Date.now();
    stage = progress.stage;
    report(progress);
  };
}

/** True where `promise` settled in time. */
async function settlesWithin(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  const settled = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return settled;
}
