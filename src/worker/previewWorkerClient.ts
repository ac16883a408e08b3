import { randomUUID } from 'node:crypto';
import type { Job, Queue } from 'bullmq';
import { PreviewError } from '../errors.ts';
import { fingerprint } from '../job/fingerprint.ts';
import type { Artifact, JobRecord, PlanSummary, Progress, Warning } from '../job/jobRecord.ts';
import { validatePreviewPayload } from '../job/validatePreviewPayload.ts';
import { createAdmission } from '../queue/admission.ts';
import type { QueueBackend } from '../queue/queueBackend.ts';
import { type QueuedJob, queueId, queueOptions } from '../queue/queuedJob.ts';
import type { ArtifactStore } from '../storage/artifactStore.ts';

/** A job by its id; `projectId` may be left out where one project alone has it. */
export interface JobRef {
  projectId?: string | undefined;
  jobId: string;
}

export type JobState = 'queued' | 'rendering' | 'retrying' | 'completed' | 'failed' | 'cancelled';

export interface JobStatus {
  jobId: string;
  projectId: string;
  requestId: string;
  status: JobState;
  progress: Progress;
  attemptsMade: number;
  createdAt: string;
  startedAt?: string;
  finishedAt?: string;
  error?: JobRecord['error'];
  warnings?: Warning[];
  plan?: PlanSummary;
}

export interface QueueMetrics {
  counts: Record<string, number>;
  total: number;
  /** Jobs that wait for a worker; `limit` is where POST answers 429. */
  waiting: number;
  limit: number;
  oldestWaitingAgeSeconds: number;
}

export interface PreviewWorkerClient {
  /**
   * Sends a job. The same job again is `existing`, whether it waits, runs or has ended.
   * @throws PreviewError `invalid_payload`, `job_id_reused`, `queue_full`, `queue_unavailable`, `store_unavailable`
   */
  enqueue(payload: unknown): Promise<{ outcome: 'accepted' | 'existing'; status: JobStatus }>;
  /** @throws PreviewError `job_not_found`, `ambiguous_job` */
  status(ref: JobRef): Promise<JobStatus>;
  /** @throws PreviewError `job_not_finished`, `no_artifacts`, and as {@link status} */
  artifacts(ref: JobRef): Promise<Artifact[]>;
  /** Ends a job that waits or runs. @throws PreviewError `job_already_finished`, and as {@link status} */
  cancel(ref: JobRef): Promise<JobStatus>;
  queueMetrics(): Promise<QueueMetrics>;
  close(): Promise<void>;
}

const WAITING = ['waiting', 'prioritized', 'delayed'] as const;
const UNFINISHED = [...WAITING, 'active'] as const;

export function createPreviewWorkerClient(options: {
  backend: QueueBackend;
  queueName: string;
  store: ArtifactStore;
  /** Jobs that may wait. */
  queueMax: number;
}): PreviewWorkerClient {
  const { backend, store, queueMax } = options;
  const queue: Queue<QueuedJob> = backend.queue(options.queueName);
  const countWaiting = (): Promise<number> => reach(() => queue.getJobCountByTypes(...WAITING));
  const admission = createAdmission(queueMax, countWaiting);

  /** What is known of a job now: how it ended, or the job in the queue. */
  const find = async (projectId: string, jobId: string): Promise<JobStatus | undefined> => {
    // The record is written before the queue forgets, so looking here, there and here again never misses a job.
    const record = await store.getRecord(projectId, jobId);
    if (record) return fromRecord(record);
    const job = await reach(() => queue.getJob(queueId({ projectId, jobId })));
    const state = job && (await reach(() => job.getState()));
    if (job && state && state !== 'unknown' && state !== 'completed' && state !== 'failed')
      return fromQueue(job, state);
    const late = await store.getRecord(projectId, jobId);
    if (late) return fromRecord(late);
    return job && state === 'failed' ? fromStalled(job) : undefined;
  };

  const resolve = async ({ projectId, jobId }: JobRef): Promise<JobStatus> => {
    const projects = projectId === undefined ? await projectsOf(jobId) : [projectId];
    const [first, ...others] = projects;
    if (others.length > 0) throw new PreviewError('ambiguous_job');
    const status = first === undefined ? undefined : await find(first, jobId);
    if (!status) throw new PreviewError('job_not_found', `There is no job "${jobId}".`);
    return status;
  };

  const projectsOf = async (jobId: string): Promise<string[]> => {
    const unfinished = await reach(() => queue.getJobs([...UNFINISHED, 'failed']));
    const queued = unfinished
      .filter((job) => job?.data.job.jobId === jobId)
      .map((job) => job.data.job.projectId);
    const ended = await store.findRecords(jobId);
    return [...new Set([...queued, ...ended.map((record) => record.projectId)])];
  };

  return {
    async enqueue(payload) {
      const checked = validatePreviewPayload(payload);
      if (!checked.ok) throw new PreviewError('invalid_payload', undefined, { errors: checked.errors });
      const { job } = checked;
      const data: QueuedJob = {
        job,
        fingerprint: fingerprint(job),
        submission: randomUUID(),
        acceptedAt: new Date().toISOString(),
      };
      const record = await store.getRecord(job.projectId, job.jobId);
      if (record) return existing(record.fingerprint, data, () => fromRecord(record));
      const options = queueOptions(job);
      const earlier = await reach(() => queue.getJob(options.jobId));
      if (earlier) return existing(earlier.data.fingerprint, data, () => resolve(job));

      if (!(await admission.admit())) {
        throw new PreviewError('queue_full', `${queueMax} jobs are waiting; try again later.`, {
          retryAfterSeconds: Math.min(60, Math.max(1, Math.ceil(queueMax / 4))),
        });
      }
      try {
        await reach(() => queue.add('render', data, options));
      } finally {
        admission.settle();
      }
      // Adding is atomic by id: of several senders at once one has added, and all find that one's job.
      const added = await reach(() => queue.getJob(options.jobId));
      if (added && added.data.submission !== data.submission) {
        return existing(added.data.fingerprint, data, () => resolve(job));
      }
      return { outcome: 'accepted', status: newStatus(data) };
    },

    status: resolve,

    async artifacts(ref) {
      const status = await resolve(ref);
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
      const status = await resolve(ref);
      const job = await reach(() => queue.getJob(queueId(status)));
      const stands = await store.putRecord({
        projectId: status.projectId,
        jobId: status.jobId,
        requestId: status.requestId,
        fingerprint: job?.data.fingerprint ?? '',
        status: 'cancelled',
        dryRun: job?.data.job.dryRun ?? false,
        createdAt: status.createdAt,
        finishedAt: new Date().toISOString(),
        attemptsMade: status.attemptsMade,
        warnings: [],
        artifacts: [],
      });
      if (stands.status !== 'cancelled') {
        throw new PreviewError('job_already_finished', `Job "${ref.jobId}" is already ${stands.status}.`);
      }
      // A running job is locked by its worker, which sees the record and stops; a waiting one is taken out here.
      if (job && (await reach(() => job.getState())) !== 'active') await job.remove().catch(() => undefined);
      return fromRecord(stands);
    },

    async queueMetrics() {
      const counts = await reach(() => queue.getJobCounts());
      const waiting = WAITING.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
      const oldest = await reach(() => queue.getJobs(['waiting', 'prioritized'], 0, -1, true));
      const since = Math.min(...oldest.map((job) => job?.timestamp ?? Number.POSITIVE_INFINITY));
      return {
        counts,
        total: Object.values(counts).reduce((sum, count) => sum + count, 0),
        waiting,
        limit: queueMax,
        oldestWaitingAgeSeconds: Number.isFinite(since) ? Math.max(0, (Date.now() - since) / 1000) : 0,
      };
    },

    close: () => queue.close().catch(() => undefined),
  };
}

/** Calls the queue; whatever keeps it from answering is one error. */
async function reach<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (cause) {
    throw new PreviewError('queue_unavailable', undefined, { cause });
  }
}

async function existing(
  earlierFingerprint: string,
  sent: QueuedJob,
  status: () => JobStatus | Promise<JobStatus>,
): Promise<{ outcome: 'existing'; status: JobStatus }> {
  if (earlierFingerprint !== sent.fingerprint) {
    throw new PreviewError(
      'job_id_reused',
      `Project "${sent.job.projectId}" used jobId "${sent.job.jobId}" for a different job; choose another jobId.`,
    );
  }
  return { outcome: 'existing', status: await status() };
}

function fromRecord(record: JobRecord): JobStatus {
  const { fingerprint: _, dryRun: __, artifacts: ___, timings: ____, ...known } = record;
  return { ...known, progress: { percent: record.status === 'completed' ? 100 : 0, stage: 'done' } };
}

function newStatus({ job, acceptedAt }: QueuedJob): JobStatus {
  return {
    jobId: job.jobId,
    projectId: job.projectId,
    requestId: job.requestId,
    status: 'queued',
    progress: { percent: 0, stage: 'queued' },
    attemptsMade: 0,
    createdAt: acceptedAt,
  };
}

function fromQueue(job: Job<QueuedJob>, state: string): JobStatus {
  const waiting = job.attemptsMade > 0 ? 'retrying' : 'queued';
  return {
    ...newStatus(job.data),
    status: state === 'active' ? 'rendering' : waiting,
    ...(typeof job.progress === 'object' && state === 'active'
      ? { progress: job.progress as unknown as Progress }
      : {}),
    attemptsMade: job.attemptsMade,
    ...(job.processedOn ? { startedAt: new Date(job.processedOn).toISOString() } : {}),
  };
}

/** A job whose workers died so often that BullMQ gave it up: no worker was left to write its record. */
function fromStalled(job: Job<QueuedJob>): JobStatus {
  return {
    ...newStatus(job.data),
    status: 'failed',
    progress: { percent: 0, stage: 'done' },
    attemptsMade: job.attemptsMade,
    error: { code: 'stalled', message: 'The workers that rendered this job died too often.' },
    ...(job.finishedOn ? { finishedAt: new Date(job.finishedOn).toISOString() } : {}),
  };
}
