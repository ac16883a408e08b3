import type { Queue } from 'bullmq';
import { PreviewError } from '../../errors.ts';
import { parseQueueId, type QueuedJob, queueId } from '../../queue/queuedJob.ts';
import { UNFINISHED } from '../../queue/queueMetrics.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';
import { fromFailed, fromQueue, fromRecord, type JobStatus } from './jobStatus.ts';

/** A job by its id; `projectId` may be left out where one project alone has it. */
export interface JobRef {
  projectId?: string | undefined;
  jobId: string;
}

/** @throws PreviewError `job_not_found`, `ambiguous_job` */
export type FindJob = (ref: JobRef) => Promise<JobStatus>;

/** What is known of a job now: how it ended, or the job in the queue. */
export function createFindJob(parts: {
  queue: Queue<QueuedJob>;
  store: ArtifactStore;
  reach<Result>(call: () => Promise<Result>): Promise<Result>;
}): FindJob {
  const { queue, store, reach } = parts;

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

  const projectsOf = async (jobId: string): Promise<string[]> => {
    // Ids are enough: the jobs themselves can be large.
    const ids = await reach(() => queue.getRanges([...UNFINISHED, 'failed'], 0, -1));
    const queued = ids.map((id) => parseQueueId(id)).filter((parsed) => parsed?.jobId === jobId);
    const ended = await store.findRecords(jobId);
    return [...new Set([...queued, ...ended].map((known) => known?.projectId ?? ''))];
  };

  return async ({ projectId, jobId }) => {
    const [first, ...others] = projectId === undefined ? await projectsOf(jobId) : [projectId];
    if (others.length > 0) throw new PreviewError('ambiguous_job');
    const status = first === undefined ? undefined : await find(first, jobId);
    if (!status) throw new PreviewError('job_not_found', `There is no job "${jobId}".`);
    return status;
  };
}
