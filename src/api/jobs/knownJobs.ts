import { queueId } from '../../queue/queuedJob.ts';
import type { JobRef, PreviewWorkerClient } from '../../worker/previewWorkerClient.ts';

/** Remembers which jobs exist, so that a player that requests its playlists again and again does not cost a queue call each. */
export interface KnownJobs {
  /** @throws as {@link PreviewWorkerClient.status} */
  find(ref: JobRef): Promise<{ projectId: string; jobId: string }>;
  /** Of a job that was just accepted. */
  add(job: { projectId: string; jobId: string }): void;
}

const KNOWN_MS = 10_000;
const MOST = 10_000;

export function createKnownJobs(client: Pick<PreviewWorkerClient, 'status'>): KnownJobs {
  const until = new Map<string, number>();
  const add: KnownJobs['add'] = (job) => {
    if (until.size >= MOST) until.clear();
    until.set(queueId(job), Date.now() + KNOWN_MS);
  };
  return {
    add,
    async find({ projectId, jobId }) {
      if (projectId !== undefined && (until.get(queueId({ projectId, jobId })) ?? 0) > Date.now())
        return { projectId, jobId };
      const job = await client.status({ projectId, jobId });
      add(job);
      return job;
    },
  };
}
