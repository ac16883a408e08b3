import { type Job, UnrecoverableError, type Worker } from 'bullmq';
import { type AssetSources, resolveAssets } from '../assets/resolveAssets.ts';
import { asPreviewError, PreviewError } from '../errors.ts';
import type { JobRecord, Progress } from '../job/jobRecord.ts';
import { validatePreviewPayload } from '../job/validatePreviewPayload.ts';
import type { Logger } from '../logger.ts';
import type { QueueBackend } from '../queue/queueBackend.ts';
import type { QueuedJob } from '../queue/queuedJob.ts';
import type { ArtifactStore } from '../storage/artifactStore.ts';
import type { PreviewMetrics } from './previewMetrics.ts';
import type { RenderPool } from './renderProcess.ts';

export interface PreviewWorkerOptions {
  backend: QueueBackend;
  queueName: string;
  store: ArtifactStore;
  renderPool: RenderPool;
  metrics: PreviewMetrics;
  logger: Logger;
  concurrency: number;
  jobTimeoutSeconds: number;
  /** How long running jobs may go on after {@link PreviewWorker.stop}. */
  shutdownGraceSeconds: number;
  assets: Pick<AssetSources, 'fetcher' | 'maxBytes'>;
}

export interface PreviewWorker {
  start(): Promise<void>;
  /** Takes no more jobs, lets the running ones finish within the grace, gives the rest back to the queue. */
  stop(): Promise<void>;
  activeJobs(): number;
}

/** A worker that dies is noticed after at most lock + check; the lock is renewed by this process, which never decodes. */
const LOCK_MS = 10_000;
const STALLED_CHECK_MS = 5_000;
/** How often a running job looks whether it was cancelled, and how often it reports progress. */
const CANCEL_CHECK_MS = 500;
const PROGRESS_MS = 250;

type Outcome = Pick<JobRecord, 'artifacts' | 'warnings'> & Partial<Pick<JobRecord, 'plan' | 'timings'>>;

export function createPreviewWorker(options: PreviewWorkerOptions): PreviewWorker {
  const { backend, store, renderPool, metrics, concurrency } = options;
  const running = new Map<string, AbortController>();
  let worker: Worker<QueuedJob, string> | undefined;

  const process = async (job: Job<QueuedJob>): Promise<string> => {
    const { job: payload, fingerprint, acceptedAt } = job.data;
    const { jobId, projectId, requestId } = payload;
    const startedAt = new Date();
    const attempt = job.attemptsMade + 1;
    const logger = options.logger.child({ requestId, jobId, projectId, attempt });
    const end = (rest: Outcome & Pick<JobRecord, 'status' | 'error'>): Promise<JobRecord> =>
      store.putRecord({
        projectId,
        jobId,
        requestId,
        fingerprint,
        dryRun: payload.dryRun,
        createdAt: acceptedAt,
        startedAt: startedAt.toISOString(),
        finishedAt: new Date().toISOString(),
        attemptsMade: attempt,
        ...rest,
      });

    const ended = await store.getRecord(projectId, jobId);
    if (ended) return ended.status;

    const control = new AbortController();
    running.set(String(job.id), control);
    metrics.activeJobs.set(running.size);
    const watch = watchCancelled(store, payload, control);
    logger.info('job started');
    try {
      const outcome = await perform(job, control.signal);
      const record = await end({ status: 'completed', ...outcome });
      if (record.status !== 'completed')
        throw new PreviewError(record.status === 'cancelled' ? 'cancelled' : 'stalled');
      const seconds = (Date.now() - startedAt.getTime()) / 1000;
      metrics.jobsTotal.inc({ outcome: payload.dryRun ? 'dry_run' : 'success' });
      if (!payload.dryRun) {
        metrics.jobDuration.observe({ format: payload.previewRequest.options?.format ?? 'mp4' }, seconds);
      }
      logger.info({ seconds, timings: outcome.timings }, 'job completed');
      return 'completed';
    } catch (thrown) {
      const error = asPreviewError(thrown, 'render_failed');
      if (error.code === 'cancelled') {
        metrics.jobsTotal.inc({ outcome: 'cancelled' });
        logger.info('job cancelled');
        return 'cancelled';
      }
      const last = !error.retryable || attempt >= (job.opts.attempts ?? 1);
      // A worker that stops gives the job back: that is no end, and its next attempt goes on from the parts in the store.
      if (!last || error.code === 'shutting_down') {
        metrics.jobsTotal.inc({ outcome: 'retry' });
        logger.warn({ err: error }, 'attempt failed, the job will be retried');
        throw error;
      }
      const { code, message } = error;
      await end({ status: 'failed', error: { code, message }, artifacts: [], warnings: [] });
      metrics.jobsTotal.inc({ outcome: code === 'invalid_payload' ? 'invalid' : 'failure' });
      logger.error({ err: error }, 'job failed');
      throw error.retryable ? error : new UnrecoverableError(`${code}: ${message}`);
    } finally {
      clearInterval(watch);
      running.delete(String(job.id));
      metrics.activeJobs.set(running.size);
    }
  };

  /** What a job is: check it, bring its assets in, plan or render it. */
  const perform = async (job: Job<QueuedJob>, signal: AbortSignal): Promise<Outcome> => {
    const checked = validatePreviewPayload(job.data.job);
    if (!checked.ok) throw new PreviewError('invalid_payload', undefined, { errors: checked.errors });
    const payload = checked.job;
    const assets = await resolveAssets(payload, { store, signal, ...options.assets });
    const control = {
      signal,
      timeoutMs: options.jobTimeoutSeconds * 1000,
      onProgress: throttled((progress) => void job.updateProgress({ ...progress }).catch(() => undefined)),
    };
    if (payload.dryRun) {
      const plan = await renderPool.plan({ job: payload, assets }, control);
      return { artifacts: [], warnings: plan.warnings, plan };
    }
    const { artifacts, warnings, timings, segments, firstSegmentSeconds } = await renderPool.render(
      { job: payload, assets },
      control,
    );
    metrics.segmentsTotal.inc({ result: 'reused' }, segments.reused);
    metrics.segmentsTotal.inc({ result: 'rendered' }, segments.total - segments.reused);
    if (firstSegmentSeconds !== undefined) metrics.firstSegment.observe(firstSegmentSeconds);
    return { artifacts, warnings, timings };
  };

  return {
    async start() {
      worker = backend.worker<QueuedJob, string>(options.queueName, process, {
        concurrency,
        lockDuration: LOCK_MS,
        stalledInterval: STALLED_CHECK_MS,
        maxStalledCount: 5,
      });
      // Another worker may have the job by now: this attempt must not go on.
      worker.on('lockRenewalFailed', (jobIds: string[]) => {
        for (const id of jobIds)
          running.get(id)?.abort(new PreviewError('render_crashed', 'The lock was lost.'));
      });
    },
    async stop() {
      if (!worker) return;
      const closed = worker.close().catch(() => undefined);
      const grace = options.shutdownGraceSeconds * 1000;
      if (await settlesWithin(closed, grace)) return;
      for (const control of running.values()) control.abort(new PreviewError('shutting_down'));
      await settlesWithin(closed, 2000);
    },
    activeJobs: () => running.size,
  };
}

/** A job is cancelled by its record, which any process can write; see previewWorkerClient.ts. */
function watchCancelled(
  store: ArtifactStore,
  { projectId, jobId }: { projectId: string; jobId: string },
  control: AbortController,
): NodeJS.Timeout {
  return setInterval(async () => {
    const record = await store.getRecord(projectId, jobId).catch(() => undefined);
    if (record?.status === 'cancelled') control.abort(new PreviewError('cancelled'));
  }, CANCEL_CHECK_MS);
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
