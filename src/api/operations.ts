import type { FastifyInstance } from 'fastify';
import type { Health } from '../worker/health.ts';
import type { PreviewMetrics } from '../worker/previewMetrics.ts';
import type { PreviewWorkerClient } from '../worker/previewWorkerClient.ts';
import type { Authorize } from './auth.ts';
import { openObjectSchema, problemResponses } from './schemas.ts';

/** What an operator and the machines that watch ask for. */
export function operationRoutes(
  app: FastifyInstance,
  parts: {
    client: PreviewWorkerClient;
    metrics: PreviewMetrics;
    authorize: Authorize;
    health: () => Promise<Health>;
  },
): void {
  const { client, metrics, authorize, health } = parts;
  const tags = ['operations'];

  app.get(
    '/api/preview/queue/metrics',
    {
      schema: {
        tags,
        summary: 'Depth of the queue',
        response: { 200: openObjectSchema, ...problemResponses(401, 503) },
      },
    },
    async (request) => {
      authorize(request);
      return client.queueMetrics();
    },
  );

  app.get(
    '/api/preview/worker/health',
    {
      schema: {
        tags,
        summary: 'Health in words',
        response: { 200: openObjectSchema, 503: openObjectSchema },
      },
    },
    async (request, reply) => {
      authorize(request);
      const state = await health();
      return reply.code(state.status === 'ok' ? 200 : 503).send(state);
    },
  );

  app.get('/livez', { schema: { tags, summary: 'The process answers' } }, async () => ({ status: 'ok' }));

  app.get('/readyz', { schema: { tags, summary: 'Jobs can be taken' } }, async (_request, reply) => {
    const { status } = await health();
    return reply.code(status === 'ok' ? 200 : 503).send({ status });
  });

  app.get('/metrics', { schema: { tags, summary: 'Prometheus metrics' } }, async (_request, reply) => {
    const queue = await client.queueMetrics().catch(() => undefined);
    for (const [state, count] of Object.entries(queue?.counts ?? {})) metrics.queueJobs.set({ state }, count);
    if (queue) metrics.oldestWaiting.set(queue.oldestWaitingAgeSeconds);
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
}
