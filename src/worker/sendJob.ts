import { randomUUID } from 'node:crypto';
import type { Job, Queue } from 'bullmq';
import { lately } from '../concurrency/lately.ts';
import { createTurns } from '../concurrency/turns.ts';
import { PreviewError } from '../errors.ts';
import { assetDigests } from '../job/assetDigests.ts';
import type { PreviewJob } from '../job/previewJob.types.ts';
import { createAddOnce } from '../queue/addOnce.ts';
import type { Admission } from '../queue/admission.ts';
import type { QueueBackend } from '../queue/queueBackend.ts';
import { fingerprintOf, parseQueueId, type QueuedJob, queueId, queueOptions } from '../queue/queuedJob.ts';
import { UNFINISHED } from '../queue/queueMetrics.ts';
import type { ArtifactStore } from '../storage/artifactStore.ts';
import type { EndEarly } from './endEarly.ts';
import type { FindJob } from './records/findJob.ts';
import { fromRecord, type JobStatus, newStatus } from './records/jobStatus.ts';
import { hasKeyOf, superseded, supersededBy, withTurn } from './supersede.ts';

export interface Sent {
  outcome: 'accepted' | 'existing';
  status: JobStatus;
}

export interface SendContext {
  /** The trace in which the job is sent (W3C Trace Context). */
  traceparent?: string | undefined;
}

/** Sends a job that is valid. The same job again is `existing`, whether it waits, runs or has ended. */
export type SendJob = (job: PreviewJob, context?: SendContext) => Promise<Sent>;

/** The store that took something so long ago takes more; should it not, the job is tried again until it does. */
const CHECKED_MS = 1000;

/** The way of a job into the queue: it is new, what it needs is there, it has room, and older ones give way to it. */
export function createSendJob(parts: {
  backend: QueueBackend;
  queue: Queue<QueuedJob>;
  store: ArtifactStore;
  reach<Result>(call: () => Promise<Result>): Promise<Result>;
  admission: Admission;
  findJob: FindJob;
  endEarly: EndEarly;
  /** The pause after a job's first attempt; a second where it is left out. */
  firstPauseMs?: number | undefined;
}): SendJob {
  const { backend, queue, store, reach, admission, findJob, endEarly, firstPauseMs } = parts;
  const addOnce = createAddOnce(queue, backend);
  const oneAtATime = createTurns();
  const checkStore = lately(() => store.check(), CHECKED_MS);

  const send = async (sent: QueuedJob): Promise<Sent> => {
    const { job } = sent;
    const record = await store.getRecord(job.projectId, job.jobId);
    if (record) return existing(record.fingerprint, sent, () => fromRecord(record));

    const rivals = await sameKey(job);
    const queued = await add(withTurn(sent, rivals));
    const isNew = queued.submission === sent.submission;
    // The first sender of a job that was there may have died before it came to this.
    const isSame = isNew || fingerprintOf(queued) === fingerprintOf(sent);
    const older = isSame ? await olderThan(job, isNew ? rivals : undefined) : [];
    for (const each of older) await endEarly(each, supersededBy(job));

    if (!isNew) return existing(fingerprintOf(queued), sent, () => findJob(job));
    const isSuperseded = older.some(({ id }) => id === queueId(job));
    return { outcome: 'accepted', status: isSuperseded ? await findJob(job) : newStatus(sent) };
  };

  /** @returns the job of that id in the queue: the one that was sent, or an earlier one */
  const add = async (sent: QueuedJob): Promise<QueuedJob> => {
    const { job } = sent;
    const options = queueOptions(job, firstPauseMs);
    try {
      // What is accepted must be able to end: its record and its artifacts are written there, and its uploads stay.
      await Promise.all([checkStore(), store.markUsed(assetDigests(job))]);
      const arrived = await admission.admit(job.projectId);
      try {
        const queued = await reach(() => addOnce.add(sent, options));
        // It may have been taken, and have ended, before anybody looked.
        return queued ?? sent;
      } finally {
        arrived();
      }
    } catch (failure) {
      // Who sends a job again that is in the queue is told of it, also while there is no room.
      const earlier = await reach(() => addOnce.find(options.jobId)).catch(() => undefined);
      if (!earlier) throw failure;
      return earlier;
    }
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

  return (job, { traceparent } = {}) => {
    const submission = (): Promise<Sent> =>
      send({
        job,
        submission: randomUUID(),
        acceptedAt: new Date().toISOString(),
        ...(traceparent ? { traceparent } : {}),
      });
    // Of the same job sent many times at once one asks for room in the queue; the others find it there.
    const first = (): Promise<Sent> => oneAtATime(queueId(job), submission);
    return job.supersedes === undefined ? first() : oneAtATime(`${job.projectId}/${job.supersedes}`, first);
  };
}

/** @throws PreviewError `job_id_reused` where it is another job */
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
