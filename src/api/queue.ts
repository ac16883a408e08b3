import type { FastifyInstance } from 'fastify';
import type { Health } from '../worker/health.ts';
import type { PreviewWorkerClient } from '../worker/previewWorkerClient.ts';
import { healthSchema, problemResponses, queueMetricsSchema } from './schemas.ts';

/** What an operator asks: how long the queue is, and whether all that a job needs is well. */
export function queueRoutes(
  app: FastifyInstance,
  { client, health }: { client: PreviewWorkerClient; health(): Promise<Health> },
): void {
  app.get(
    '/api/preview/queue/metrics',
    {
      schema: {
        tags: ['operations'],
        summary: 'How many jobs wait and run',
        response: { 200: queueMetricsSchema, ...problemResponses(401, 503) },
      },
    },
    () => client.queueMetrics(),
  );

  app.get(
    '/api/preview/worker/health',
    {
      schema: {
        tags: ['operations'],
        summary: 'Each thing that a job needs, and what to do where it fails',
        response: { 200: healthSchema, 503: healthSchema, ...problemResponses(401) },
      },
    },
    async (_request, reply) => {
      const state = await health();
      return reply.code(state.status === 'ok' ? 200 : 503).send(state);
    },
  );
}
