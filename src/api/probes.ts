import type { FastifyInstance } from 'fastify';
import type { Health } from '../worker/health.ts';
import type { PreviewMetrics } from '../worker/previewMetrics.ts';
import type { PreviewWorkerClient } from '../worker/previewWorkerClient.ts';
import { probeSchema } from './schemas.ts';

/** What machines ask that watch over the service; none of them has an API key. */
export function probeRoutes(
  app: FastifyInstance,
  parts: { client: PreviewWorkerClient; metrics: PreviewMetrics; health(): Promise<Health> },
): void {
  const { client, metrics, health } = parts;
  const tags = ['operations'];

  app.get(
    '/livez',
    { schema: { tags, summary: 'The process answers', response: { 200: probeSchema } } },
    async () => ({ status: 'ok' }),
  );

  app.get(
    '/readyz',
    { schema: { tags, summary: 'Jobs can be taken', response: { 200: probeSchema, 503: probeSchema } } },
    async (_request, reply) => {
      const { status } = await health();
      return reply.code(status === 'ok' ? 200 : 503).send({ status });
    },
  );

  app.get(
    '/metrics',
    { schema: { tags, summary: 'Prometheus metrics', produces: ['text/plain'] } },
    async (_request, reply) => {
      await measureQueue(client, metrics);
      return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
    },
  );
}

/** The queue is looked at when someone asks; where it does not answer, an old number would be a lie. */
async function measureQueue(client: PreviewWorkerClient, metrics: PreviewMetrics): Promise<void> {
  metrics.queueJobs.reset();
  metrics.oldestWaiting.set(Number.NaN);
  const queue = await client.queueMetrics().catch(() => undefined);
  if (!queue) return;
  for (const [state, count] of Object.entries(queue.counts)) metrics.queueJobs.set({ state }, count);
  metrics.oldestWaiting.set(queue.oldestWaitingAgeSeconds);
}
