import { randomUUID } from 'node:crypto';
import type { Job, Queue } from 'bullmq';
import { lately } from '../concurrency/lately.ts';
import { createTurns } from '../concurrency/turns.ts';
import { PreviewError } from '../errors.ts';
import { assetDigests } from '../job/assetDigests.ts';
import type { Artifact, JobRecord } from '../job/jobRecord.ts';
import type { PreviewJob } from '../job/previewJob.types.ts';
import { validatePreviewPayload } from '../job/validatePreviewPayload.ts';
import { createAddOnce } from '../queue/addOnce.ts';
import { createAdmission } from '../queue/admission.ts';
import { createPace } from '../queue/pace.ts';
import { createReach, type QueueBackend } from '../queue/queueBackend.ts';
import {
  deadQueueName,
  fingerprintOf,
  parseQueueId,
  type QueuedJob,
  queueId,
  queueOptions,
} from '../queue/queuedJob.ts';
import { measureQueue, type QueueDepth, UNFINISHED } from '../queue/queueMetrics.ts';
import type { ArtifactStore } from '../storage/artifactStore.ts';
import type { JobHistory } from './records/attemptHistory.ts';
import { cancelledRecord } from './records/endRecords.ts';
import { createJobDetails, packDetails } from './records/jobDetails.ts';
import { createJobList, type JobFilter, type JobPage } from './records/jobList.ts';
import { fromFailed, fromQueue, fromRecord, type JobStatus, newStatus } from './records/jobStatus.ts';
import { hasKeyOf, superseded, supersededBy, withTurn } from './supersede.ts';

export type { JobStatus } from './records/jobStatus.ts';

/** A job by its id; `projectId` may be left out where one project alone has it. */
export interface JobRef {
  projectId?: string | undefined;
  jobId: string;
}

export interface QueueMetrics extends QueueDepth {
  /** How many jobs may wait; above it POST answers 429. */
  limit: number;
  /** Jobs that failed for good and were neither replayed nor discarded. */
  deadLetters: number;
}

export interface Sent {
  outcome: 'accepted' | 'existing';
  status: JobStatus;
}

export interface SendContext {
  /** The trace in which the job is sent (W3C Trace Context). */
  traceparent?: string | undefined;
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

/** The store that took something so long ago takes more; should it not, the job is tried again until it does. */
const CHECKED_MS = 1000;

export function createPreviewWorkerClient(options: {
  backend: QueueBackend;
  queueName: string;
  store: ArtifactStore;
  /** Jobs that may wait. */
  queueMax: number;
  /** Of them, jobs of one project; all where it is left out. */
  projectQueueMax?: number;
  /** The pause after the first failed attempt of a job; a second where it is left out. */
  retryDelayMs?: number;
}): PreviewWorkerClient {
  const { backend, store, queueMax, projectQueueMax = queueMax, retryDelayMs } = options;
  const queue: Queue<QueuedJob> = backend.queue(options.queueName);
  const dead = backend.queue(deadQueueName(options.queueName));
  const reach = createReach(backend);
  const pace = createPace(queue);
  const admission = createAdmission({ queue, reach, pace, limits: { queueMax, projectQueueMax } });
  const details = createJobDetails({ queue, store, reach });
  const addOnce = createAddOnce(queue, backend);
  const oneAtATime = createTurns();
  const checkStore = lately(() => store.check(), CHECKED_MS);

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
    return job && state === 'failed' ? fromFailed(job) : undefined;
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
    // Ids are enough: the jobs themselves can be large.
    const ids = await reach(() => queue.getRanges([...UNFINISHED, 'failed'], 0, -1));
    const queued = ids.map((id) => parseQueueId(id)).filter((parsed) => parsed?.jobId === jobId);
    const ended = await store.findRecords(jobId);
    return [...new Set([...queued, ...ended].map((known) => known?.projectId ?? ''))];
  };

  const send = async (data: QueuedJob): Promise<Sent> => {
    const { job } = data;
    const record = await store.getRecord(job.projectId, job.jobId);
    if (record) return existing(record.fingerprint, data, () => fromRecord(record));
    const options = queueOptions(job, retryDelayMs);
    const rivals = await sameKey(job);
    const add = async (): Promise<QueuedJob | undefined> => {
      // What is accepted must be able to end: its record and its artifacts are written there, and its uploads stay.
      await Promise.all([checkStore(), store.markUsed(assetDigests(job))]);
      const arrived = await admission.admit(job.projectId);
      try {
        return await reach(() => addOnce.add(withTurn(data, rivals), options));
      } finally {
        arrived();
      }
    };
    // Who sends a job again that is in the queue is told of it, also while there is no room.
    const added = await add().catch(async (failure: unknown) => {
      const earlier = await reach(() => addOnce.find(options.jobId)).catch(() => undefined);
      if (!earlier) throw failure;
      return earlier;
    });
    const isNew = !added || added.submission === data.submission;
    // The first sender of a job that was there may have died before it came to this.
    const isSame = isNew || fingerprintOf(added) === fingerprintOf(data);
    const olderOnes = isSame ? await olderThan(job, isNew ? rivals : undefined) : [];
    for (const older of olderOnes) await endEarly(older, supersededBy(job));
    if (!isNew) return existing(fingerprintOf(added), data, () => resolve(job));
    const isEnded = olderOnes.some(({ id }) => id === options.jobId);
    return { outcome: 'accepted', status: isEnded ? await resolve(job) : newStatus(data) };
  };

  const submit = (job: PreviewJob, { traceparent }: SendContext = {}): Promise<Sent> => {
    const submission = (): Promise<Sent> =>
      send({
        job,
        submission: randomUUID(),
        acceptedAt: new Date().toISOString(),
        ...(traceparent ? { traceparent } : {}),
      });
    // Of the same job sent many times at once one asks for a place in the queue; the others find it there.
    const first = (): Promise<Sent> => oneAtATime(queueId(job), submission);
    return job.supersedes === undefined ? first() : oneAtATime(`${job.projectId}/${job.supersedes}`, first);
  };

  /** The unfinished jobs with the key of `job`, itself among them when it was added. */
  const sameKey = async (job: PreviewJob): Promise<Job<QueuedJob>[]> => {
    if (job.supersedes === undefined) return [];
    const ids = await reach(() => queue.getRanges([...UNFINISHED], 0, -1));
    const own = ids.filter((id) => parseQueueId(id)?.projectId === job.projectId);
    const jobs = await Promise.all(own.map((id) => reach(() => queue.getJob(id))));
    return jobs.filter((found) => found !== undefined).filter(hasKeyOf(job));
  };

  /**
   * The jobs of the key that are not the newest, the job itself among them where a newer one came.
   * @param before those that were there before the job was added by this process
   */
  const olderThan = async (
    job: PreviewJob,
    before: Job<QueuedJob>[] | undefined,
  ): Promise<Job<QueuedJob>[]> => {
    // Nobody else adds to the embedded queue, and jobs of one key are added one after the other.
    if (before && backend.kind === 'embedded') return before;
    return superseded(await sameKey(job));
  };

  /** Writes that a job of the queue is cancelled, unless it has ended. */
  const endEarly = async (job: Job<QueuedJob>, why?: JobRecord['error']): Promise<void> => {
    const state = await reach(() => job.getState());
    if (state === 'unknown' || state === 'completed' || state === 'failed') return;
    const isTaken = state === 'active' || job.attemptsStarted > 0;
    const rows = isTaken ? (await reach(() => queue.getJobLogs(String(job.id)))).logs : [];
    const { object, details } = packDetails({ job: job.data.job, rows });
    const record = cancelledRecord(fromQueue(job, state), job, why);
    const standing = await store.putRecord({ ...record, details }, object);
    // A running job is locked by its worker, which sees the record and stops; a waiting one is taken out here, unless a
    // worker has taken it in the meantime.
    if (standing.status === 'cancelled' && state !== 'active') await job.remove().catch(() => undefined);
  };

  return {
    async enqueue(payload, context) {
      const checked = validatePreviewPayload(payload);
      if (!checked.ok) throw new PreviewError('invalid_payload', undefined, { errors: checked.errors });
      return submit(checked.job, context);
    },
    submit,

    status: resolve,

    async details(ref) {
      const status = await resolve(ref);
      const job = await details.payload(status);
      return { ...status, ...(job === undefined ? {} : { job }) };
    },

    history: async (ref) => details.history(await resolve(ref)),

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
      const known = await resolve(ref);
      const job = await reach(() => queue.getJob(queueId(known)));
      if (known.finishedAt === undefined && job) await endEarly(job);
      const ended = await resolve(known);
      if (ended.status !== 'cancelled') {
        throw new PreviewError('job_already_finished', `Job "${ref.jobId}" is already ${ended.status}.`);
      }
      return ended;
    },

    list: createJobList({ queue, store, reach }).page,

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

async function existing(
  earlierFingerprint: string,
  sent: QueuedJob,
  status: () => JobStatus | Promise<JobStatus>,
): Promise<Sent> {
  if (earlierFingerprint !== fingerprintOf(sent)) {
    throw new PreviewError(
      'job_id_reused',
      `Project "${sent.job.projectId}" used jobId "${sent.job.jobId}" for a different job; choose another jobId.`,
    );
  }
  return { outcome: 'existing', status: await status() };
}
