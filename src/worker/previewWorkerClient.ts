import type { Queue } from 'bullmq';
import { PreviewError } from '../errors.ts';
import type { Artifact } from '../job/jobRecord.ts';
import type { PreviewJob } from '../job/previewJob.types.ts';
import { validatePreviewPayload } from '../job/validatePreviewPayload.ts';
import { createAdmission } from '../queue/admission.ts';
import { createPace } from '../queue/pace.ts';
import { createReach, type QueueBackend } from '../queue/queueBackend.ts';
import { deadQueueName, type QueuedJob, queueId } from '../queue/queuedJob.ts';
import { measureQueue, type QueueDepth } from '../queue/queueMetrics.ts';
import type { ArtifactStore } from '../storage/artifactStore.ts';
import { createEndEarly } from './endEarly.ts';
import type { JobHistory } from './records/attemptHistory.ts';
import { createFindJob, type JobRef } from './records/findJob.ts';
import { createJobDetails } from './records/jobDetails.ts';
import { createJobList, type JobFilter, type JobPage } from './records/jobList.ts';
import type { JobStatus } from './records/jobStatus.ts';
import { createSendJob, type SendContext, type Sent } from './sendJob.ts';

export type { JobRef } from './records/findJob.ts';
export type { JobStatus } from './records/jobStatus.ts';
export type { SendContext, Sent } from './sendJob.ts';

export interface QueueMetrics extends QueueDepth {
  /** How many jobs may wait; above it POST answers 429. */
  limit: number;
  /** Jobs that failed for good and were neither replayed nor discarded. */
  deadLetters: number;
}

export interface PreviewWorkerClient {
  /**
   * Sends a job. The same job again is `existing`, whether it waits, runs or has ended. With `context.traceparent` its
   * render belongs to that trace.
   * @throws PreviewError `invalid_payload`, `job_id_reused`, `queue_full`, `queue_unavailable`, `store_unavailable`
   */
  enqueue(payload: unknown, context?: SendContext): Promise<Sent>;
  /** The same for a job that `validatePreviewPayload` has returned; it is not looked at again. */
  submit(job: PreviewJob, context?: SendContext): Promise<Sent>;
  /** @throws PreviewError `job_not_found`, `ambiguous_job` */
  status(ref: JobRef): Promise<JobStatus>;
  /** Its status, and the job as it was sent. @throws as {@link status} */
  details(ref: JobRef): Promise<JobStatus & { job?: unknown }>;
  /** Its attempts, the parts that they made or found, and what they logged. @throws as {@link status} */
  history(ref: JobRef): Promise<JobHistory>;
  /** @throws PreviewError `job_not_finished`, `no_artifacts`, and as {@link status} */
  artifacts(ref: JobRef): Promise<Artifact[]>;
  /** Ends a job that waits or runs. @throws PreviewError `job_already_finished`, and as {@link status} */
  cancel(ref: JobRef): Promise<JobStatus>;
  /**
   * The jobs of a project or of all, the last accepted first, those that have ended too.
   * @throws PreviewError `invalid_request` for a cursor that is none
   */
  list(filter: JobFilter, page: { limit: number; cursor?: string | undefined }): Promise<JobPage>;
  queueMetrics(): Promise<QueueMetrics>;
  /** The names of the workers that the queue knows, of any process. */
  workers(): Promise<string[]>;
  close(): Promise<void>;
}

export function createPreviewWorkerClient(options: {
  backend: QueueBackend;
  queueName: string;
  store: ArtifactStore;
  /** Jobs that may wait. */
  queueMax: number;
  /** Of them, jobs of one project; all where it is left out. */
  projectQueueMax?: number;
  /** The pause after a job's first attempt; a second where it is left out. */
  firstPauseMs?: number | undefined;
}): PreviewWorkerClient {
  const { backend, store, queueMax, projectQueueMax = queueMax, firstPauseMs } = options;
  const queue: Queue<QueuedJob> = backend.queue(options.queueName);
  const dead = backend.queue(deadQueueName(options.queueName));
  const reach = createReach(backend);
  const pace = createPace(queue);
  const admission = createAdmission({ queue, reach, pace, limits: { queueMax, projectQueueMax } });
  const parts = { queue, store, reach };
  const findJob = createFindJob(parts);
  const endEarly = createEndEarly(parts);
  const sendJob = createSendJob({ ...parts, backend, admission, findJob, endEarly, firstPauseMs });
  const details = createJobDetails(parts);

  return {
    async enqueue(payload, context) {
      const checked = validatePreviewPayload(payload);
      if (!checked.ok) throw new PreviewError('invalid_payload', undefined, { errors: checked.errors });
      return sendJob(checked.job, context);
    },
    submit: sendJob,

    status: findJob,

    async details(ref) {
      const status = await findJob(ref);
      const job = await details.payload(status);
      return { ...status, ...(job === undefined ? {} : { job }) };
    },

    history: async (ref) => details.history(await findJob(ref)),

    async artifacts(ref) {
      const status = await findJob(ref);
      const record = await store.getRecord(status.projectId, status.jobId);
      if (!record && status.status !== 'failed') {
        throw new PreviewError(
          'job_not_finished',
          `Job "${ref.jobId}" is ${status.status}; ask again when it is completed.`,
        );
      }
      if (!record || record.artifacts.length === 0) {
        const why = record?.dryRun ? 'was a dry run' : `is ${status.status}`;
        throw new PreviewError('no_artifacts', `Job "${ref.jobId}" ${why} and has no artifacts.`);
      }
      return record.artifacts;
    },

    async cancel(ref) {
      const status = await findJob(ref);
      const job = await reach(() => queue.getJob(queueId(status)));
      if (status.finishedAt === undefined && job) await endEarly(job);
      const ended = await findJob(status);
      if (ended.status !== 'cancelled') {
        throw new PreviewError('job_already_finished', `Job "${ref.jobId}" is already ${ended.status}.`);
      }
      return ended;
    },

    list: createJobList(parts).page,

    async queueMetrics() {
      const [depth, deadLetters] = await reach(() =>
        Promise.all([measureQueue(queue), dead.getJobCountByTypes('waiting'), pace.look()]),
      );
      return { ...depth, limit: queueMax, deadLetters };
    },

    workers: async () => {
      const workers = await reach(() => queue.getWorkers());
      return workers.map(({ rawname = '' }) => rawname.slice(rawname.lastIndexOf(':') + 1));
    },

    async close() {
      await Promise.all([queue, dead].map((each) => each.close().catch(() => undefined)));
    },
  };
}
