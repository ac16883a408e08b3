import type { Job, Queue } from 'bullmq';
import type { JobRecord } from '../job/jobRecord.ts';
import type { QueuedJob } from '../queue/queuedJob.ts';
import type { ArtifactStore } from '../storage/artifactStore.ts';
import { cancelledRecord } from './records/endRecords.ts';
import { packDetails } from './records/jobDetails.ts';
import { fromQueue } from './records/jobStatus.ts';

/** Ends a job of the queue as cancelled, unless it has ended. @param why is told where it was not its sender who did so */
export type EndEarly = (job: Job<QueuedJob>, why?: JobRecord['error']) => Promise<void>;

export function createEndEarly(parts: {
  queue: Queue<QueuedJob>;
  store: ArtifactStore;
  reach<Result>(call: () => Promise<Result>): Promise<Result>;
}): EndEarly {
  const { queue, store, reach } = parts;
  return async (job, why) => {
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
}
