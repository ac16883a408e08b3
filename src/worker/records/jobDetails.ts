import type { Queue } from 'bullmq';
import { type QueuedJob, queueId } from '../../queue/queuedJob.ts';
import type { ArtifactStore, StoredObject } from '../../storage/artifactStore.ts';
import { digestOf } from '../../storage/storeRules.ts';
import { type JobHistory, readJobHistory } from './attemptHistory.ts';
import type { JobStatus } from './jobStatus.ts';

/** What is kept of an ended job beside its record, as an object that the record names. */
interface JobDetails {
  /** The job as it was sent. */
  job: unknown;
  /** Of its log in the queue, see attemptHistory.ts. */
  rows: string[];
}

/** What goes into the store: the object, to be kept before or with the record, and what the record says of it. */
export function packDetails(details: JobDetails): { object: Buffer; details: StoredObject } {
  const object = Buffer.from(JSON.stringify(details));
  return { object, details: { sha256: digestOf(object), bytes: object.length } };
}

/** The payload and the history of jobs that wait, run or have ended. */
export function createJobDetails(parts: {
  queue: Queue<QueuedJob>;
  store: ArtifactStore;
  reach<Result>(call: () => Promise<Result>): Promise<Result>;
}) {
  const { queue, store, reach } = parts;

  const detailsOf = async ({ projectId, jobId }: JobStatus): Promise<JobDetails | undefined> => {
    const record = await store.getRecord(projectId, jobId);
    const details = record && (await store.readDetails(record));
    return details && JSON.parse(String(details));
  };

  return {
    /** The job as it was sent; undefined where it was not kept. */
    async payload(status: JobStatus): Promise<unknown> {
      const kept = await detailsOf(status);
      return kept ? kept.job : (await reach(() => queue.getJob(queueId(status))))?.data.job;
    },

    async history(status: JobStatus): Promise<JobHistory> {
      const [kept, queued] = await Promise.all([
        detailsOf(status),
        reach(() => queue.getJobLogs(queueId(status))),
      ]);
      // The end of a completed attempt is kept with the record alone, that of a cancelled one is written after it.
      const rows = queued.logs.length > (kept?.rows.length ?? 0) ? queued.logs : (kept?.rows ?? []);
      const history = readJobHistory(rows);
      const last = history.attempts.at(-1);
      if (last && !last.endedAt && status.finishedAt !== undefined) {
        last.endedAt = status.finishedAt;
        if (status.status === 'completed' || status.status === 'cancelled') last.outcome = status.status;
      }
      return history;
    },
  };
}
