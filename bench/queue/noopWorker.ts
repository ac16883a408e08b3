/**
 * The peer of the service's worker: BullMQ's own, whose jobs do nothing. With `STORE` they write what any answer has to
 * leave that outlives the queue, a synced record in that folder, and nothing else. `REDIS_URL`, `QUEUE`, `CONCURRENCY`.
 */
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { fingerprintOf, type QueuedJob } from '../../src/queue/queuedJob.ts';
import { createFsStore } from '../../src/storage/folder/fsStore.ts';

const { REDIS_URL = '', QUEUE = '', CONCURRENCY = '2', STORE } = process.env;
const store = STORE === undefined ? undefined : await createFsStore(STORE);
const work = async ({ data }: { data: QueuedJob }): Promise<string> => {
  const { job, acceptedAt: createdAt } = data;
  const { projectId, jobId, requestId, dryRun } = job;
  const nothing = { attemptsMade: 1, warnings: [], artifacts: [] };
  const at = { createdAt, finishedAt: new Date().toISOString() };
  await store?.putRecord({
    projectId,
    jobId,
    requestId,
    dryRun,
    fingerprint: fingerprintOf(data),
    ...at,
    status: 'completed',
    ...nothing,
  });
  return 'completed';
};
const worker = new Worker<QueuedJob>(QUEUE, work, {
  connection: new Redis(REDIS_URL, { maxRetriesPerRequest: null }),
  concurrency: Number(CONCURRENCY),
});
await worker.waitUntilReady();
console.log('ready');
process.once('SIGTERM', () => worker.close().then(() => process.exit(0)));
