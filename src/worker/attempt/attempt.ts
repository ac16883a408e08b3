import { type Job, type Queue, UnrecoverableError } from 'bullmq';
import type { AssetSources } from '../../assets/resolveAssets.ts';
import { singleFlight } from '../../concurrency/sharedCalls.ts';
import { asPreviewError, type InputError, PreviewError } from '../../errors.ts';
import type { JobRecord, Progress } from '../../job/jobRecord.ts';
import type { PreviewJob } from '../../job/previewJob.types.ts';
import { validateParsedPayload } from '../../job/validatePreviewPayload.ts';
import { copyingChild, type Logger } from '../../logger.ts';
import type { JobEvents } from '../../queue/events/jobEvents.ts';
import { parseQueueId, type QueuedJob } from '../../queue/queuedJob.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';
import type { Span } from '../../tracing.ts';
import { type Failure, failedReason, withStep } from '../deadLetters/deadLetter.ts';
import type { DeadLetterOffice } from '../deadLetters/deadLetters.ts';
import type { PreviewMetrics } from '../previewMetrics.ts';
import { type AttemptHistory, keepHistory } from '../records/attemptHistory.ts';
import { completedRecord } from '../records/endRecords.ts';
import { packDetails } from '../records/jobDetails.ts';
import type { RenderPool } from '../renderProcess/renderProcess.ts';
import { workerName } from '../workerName.ts';
import { type Hold, type Holds, LockLost } from './attemptLock.ts';
import { createGiveBack } from './giveBack.ts';
import type { Intake } from './intake.ts';
import { renderJob } from './renderJob.ts';
import { tellCompleted } from './tellCompleted.ts';

/** One attempt at a job. What it returns is not used: how a job ended is in its record. */
export type Attempt = (job: Job<QueuedJob>, token: string, span: Span) => Promise<string>;

export interface AttemptParts {
  /** Where the job is, for the rows of earlier attempts. */
  queue: Pick<Queue, 'getJobLogs'>;
  store: ArtifactStore;
  renderPool: RenderPool;
  deadLetters: Pick<DeadLetterOffice, 'bury'>;
  intake: Pick<Intake, 'check' | 'look'>;
  /** Tells what the clients in this process write; what others write is found by looking. */
  events: Pick<JobEvents, 'listenForEnd'>;
  metrics: PreviewMetrics;
  logger: Logger;
  jobTimeoutSeconds: number;
  assets: Pick<AssetSources, 'fetcher' | 'maxBytes' | 'turns' | 'formats'>;
}

/** How often a running job looks whether it was cancelled. */
const CANCEL_CHECK_MS = 500;
/** How often it reports progress: whoever watches is told with it that there is more to play. */
const PROGRESS_MS = 40;

/** @param holds where the attempt is found by who has to stop it */
export function createAttempt(parts: AttemptParts, holds: Holds): Attempt {
  const { store, metrics, deadLetters } = parts;
  const { putOff, giveBack } = createGiveBack(parts);

  const attempt: Attempt = async (job, token, span) => {
    const checked = validateParsedPayload(job.data.job);
    if (!checked.ok) return refuse(job, token, checked.errors);
    const payload = checked.job;
    const { projectId, jobId, requestId } = payload;
    const attemptsMade = job.attemptsMade + 1;
    const history = keepHistory(job, attemptsMade, workerName());
    const ids = { requestId, jobId, projectId, attempt: attemptsMade };
    const logger = copyingChild(parts.logger, ids, history.line);
    const startedAt = new Date().toISOString();
    const hold = holds.begin(job, token);
    const stopWatching = watch(payload, hold);
    let stage: Progress['stage'] = 'assets';
    const passing = throttled((progress) => void job.updateProgress({ ...progress }).catch(() => undefined));

    const renderAndCommit = async (): Promise<string> => {
      await parts.intake.check();
      // It may have been cancelled, or its worker may have died before it told the queue that it was over.
      const ended = await store.getRecord(projectId, jobId);
      if (ended) return ended.status;
      logger.info('job started');
      const onProgress = (progress: Progress): void => {
        stage = progress.stage;
        passing.report(progress);
      };
      const outcome = await renderJob(
        payload,
        { ...parts, logger },
        { signal: hold.signal, onProgress, onPart: history.part },
        span,
      );
      const { object, details } = packDetails({ job: job.data.job, rows: await rowsOf(job, history) });
      // The last thing before the record: whatever else waits for the queue may have outlasted the lock.
      await hold.confirm();
      const completed = {
        ...completedRecord(payload, job.data, { startedAt, attemptsMade }, outcome),
        details,
      };
      const standing = await store.putRecord(completed, object);
      tellCompleted(payload, completed, standing, { logger, metrics });
      return standing.status;
    };

    /** Tells the queue what is to become of the job: that it is over, is given back, is tried again, or is dead. */
    const settle = async (error: PreviewError): Promise<string> => {
      const { code, message, retryable } = error;
      if (code === 'cancelled') {
        metrics.jobsTotal.inc({ outcome: 'cancelled' });
        logger.info('job cancelled');
        void history.ended('cancelled');
        return 'cancelled';
      }
      const putOffMs = code === 'shutting_down' ? 0 : await putOff(job, error);
      if (putOffMs !== undefined) {
        logger.info({ err: error, putOffMs }, 'job given back to the queue');
        void history.ended('givenBack', code === 'shutting_down' ? undefined : error);
        return giveBack(job, token, putOffMs);
      }
      const place = withStep({ stage, ...error.place }, payload);
      await history.ended('failed', error, place);
      if (retryable && attemptsMade < (job.opts.attempts ?? 1)) {
        metrics.jobsTotal.inc({ outcome: 'retry' });
        logger.warn({ err: error }, 'attempt failed, the job will be retried');
        await history.flush();
        throw error;
      }
      await hold.confirm();
      metrics.jobsTotal.inc({ outcome: 'failure' });
      logger.error({ err: error, place }, 'job failed');
      await history.flush();
      return failForGood(job, token, { error: { code, message }, place, startedAt, attemptsMade });
    };

    void history.started();
    try {
      return await renderAndCommit().catch((thrown: unknown) => {
        if (thrown instanceof LockLost) throw thrown;
        return settle(asPreviewError(thrown, 'render_failed'));
      });
    } catch (thrown) {
      if (thrown instanceof LockLost) {
        // Who has the job by now ends it; nothing of this attempt is told but this.
        logger.warn('the lock was lost, the attempt was stopped');
        void history.ended('lockLost');
      }
      throw thrown;
    } finally {
      stopWatching();
      passing.stop();
      history.stop();
      hold.end();
    }
  };

  /** All that is known of the attempts at the job: of those before this one there are rows in the queue. */
  const rowsOf = async (job: Job<QueuedJob>, history: AttemptHistory): Promise<string[]> => {
    const own = history.completedRows();
    if (job.attemptsStarted <= 1) return own;
    const { logs } = await parts.queue.getJobLogs(String(job.id)).catch((cause: unknown) => {
      throw new PreviewError('queue_unavailable', undefined, { cause });
    });
    return [...logs.filter((row) => !own.includes(row)), ...own];
  };

  /**
   * Aborts the attempt at its deadline, when its lock has expired without a word from the queue, and when the job is
   * cancelled: by its record, which any process can write.
   */
  const watch = ({ projectId, jobId }: PreviewJob, hold: Hold): (() => void) => {
    const seconds = parts.jobTimeoutSeconds;
    const deadline = setTimeout(() => {
      hold.abort(new PreviewError('render_timeout', `The job took longer than ${seconds} s.`));
    }, seconds * 1000);
    const stopWhereCancelled = (record: JobRecord | undefined): void => {
      if (record?.status === 'cancelled') hold.abort(new PreviewError('cancelled'));
    };
    const look = singleFlight(async () => {
      stopWhereCancelled(await store.getRecord(projectId, jobId).catch(() => undefined));
    });
    const looking = setInterval(() => {
      if (hold.isExpired()) hold.abort(new LockLost('the lock has expired'));
      void look();
    }, CANCEL_CHECK_MS);
    const stopListening = parts.events.listenForEnd({ projectId, jobId }, stopWhereCancelled);
    return () => {
      clearTimeout(deadline);
      clearInterval(looking);
      stopListening();
    };
  };

  /** The client checks what it sends, so this came from something else, or from a client of another version. */
  const refuse = (job: Job<QueuedJob>, token: string, errors: readonly InputError[]): Promise<never> => {
    const complaints = errors.map(({ pointer, message }) => `${pointer} ${message}`).join(' ');
    const message = `The job does not match the schema: ${complaints}`;
    metrics.jobsTotal.inc({ outcome: 'invalid' });
    parts.logger.error({ ...parseQueueId(String(job.id)), errors }, 'job refused');
    return failForGood(job, token, {
      error: { code: 'invalid_payload', message },
      attemptsMade: job.attemptsMade + 1,
    });
  };

  /** Where the letter or the record cannot be written now, the job is given back: it ends when it can be buried. */
  const failForGood = async (job: Job<QueuedJob>, token: string, failure: Failure): Promise<never> => {
    try {
      if (parseQueueId(String(job.id))) await deadLetters.bury(job, failure);
    } catch (thrown) {
      const err = asPreviewError(thrown, 'store_unavailable');
      parts.logger.error({ err, jobId: job.id }, 'the burial is put off');
      const putOffMs = await putOff(job, err);
      if (putOffMs !== undefined) return giveBack(job, token, putOffMs);
    }
    throw new UnrecoverableError(failedReason(failure.error));
  };

  return attempt;
}

/** Passes on the latest report at most once in {@link PROGRESS_MS}, and each change of the stage at once. */
function throttled(report: (progress: Progress) => void) {
  let last = 0;
  let stage: Progress['stage'] | undefined;
  let timer: NodeJS.Timeout | undefined;
  const pass = (progress: Progress): void => {
    clearTimeout(timer);
    timer = undefined;
    last = Date.now();
    stage = progress.stage;
    report(progress);
  };
  return {
    report(progress: Progress): void {
      clearTimeout(timer);
      const early = PROGRESS_MS - (Date.now() - last);
      if (progress.stage !== stage || early <= 0) pass(progress);
      else timer = setTimeout(() => pass(progress), early).unref();
    },
    stop: (): void => clearTimeout(timer),
  };
}
