/** The peer of the service's worker: BullMQ's own, whose jobs do nothing. `REDIS_URL`, `QUEUE`, `CONCURRENCY`. */
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';

const { REDIS_URL = '', QUEUE = '', CONCURRENCY = '2' } = process.env;
const worker = new Worker(QUEUE, async () => 'completed', {
  connection: new Redis(REDIS_URL, { maxRetriesPerRequest: null }),
  concurrency: Number(CONCURRENCY),
});
await worker.waitUntilReady();
console.log('ready');
process.once('SIGTERM', () => worker.close().then(() => process.exit(0)));
