/** The peer of `POST /api/preview/job`: a Fastify route with the same schema and one `queue.add`. `REDIS_URL`, `QUEUE`. */
import { Queue } from 'bullmq';
import Fastify from 'fastify';
import { Redis } from 'ioredis';
import type { PreviewJob } from '../../src/job/previewJob.types.ts';
import { loadPreviewJobSchema } from '../../src/job/previewJobSchema.ts';
import { queueOptions } from '../../src/queue/queuedJob.ts';

const { REDIS_URL = '', QUEUE = '' } = process.env;
const queue = new Queue(QUEUE, { connection: new Redis(REDIS_URL, { maxRetriesPerRequest: null }) });
const app = Fastify({
  ajv: { customOptions: { removeAdditional: false, coerceTypes: false, strict: false } },
});
app.post<{ Body: PreviewJob }>(
  '/api/preview/job',
  { schema: { body: loadPreviewJobSchema() } },
  async (request, reply) => {
    const job = request.body;
    await queue.add('render', { job }, queueOptions(job));
    return reply.code(202).send({ jobId: job.jobId, status: 'queued' });
  },
);
console.log(await app.listen({ port: 0, host: '127.0.0.1' }));
process.once('SIGTERM', () => process.exit(0));
