import type { FastifyInstance } from 'fastify';
import { type Health, isReady } from '../../worker/health.ts';
import type { PreviewMetrics } from '../../worker/previewMetrics.ts';
import { problemResponses } from '../http/problemSchema.ts';
import { healthSchema, probeSchema } from './operatorSchemas.ts';

const tags = ['operations'];

/** Calls for monitoring, which has no API key. */
export function probeRoutes(
  app: FastifyInstance,
  { metrics, health }: { metrics: PreviewMetrics; health(): Promise<Health> },
): void {
  app.get(
    '/livez',
    { schema: { tags, summary: 'Liveness: the process answers', response: { 200: probeSchema } } },
    async () => ({ status: 'ok' }),
  );

  app.get(
    '/readyz',
    {
      schema: {
        tags,
        summary: 'Readiness: queue and store can be used',
        response: { 200: probeSchema, 503: probeSchema },
      },
    },
    async (_request, reply) => {
      const ready = isReady(await health());
      return reply.code(ready ? 200 : 503).send({ status: ready ? 'ok' : 'down' });
    },
  );

  app.get(
    '/metrics',
    { schema: { tags, summary: 'Prometheus metrics', produces: ['text/plain'] } },
    async (_request, reply) =>
      reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}

/** The call for operators who want to know what is wrong. */
export function healthRoute(app: FastifyInstance, { health }: { health(): Promise<Health> }): void {
  app.get(
    '/api/preview/worker/health',
    {
      schema: {
        tags,
        summary: 'Health: what a job needs, and what to do if it fails',
        response: { 200: healthSchema, 503: healthSchema, ...problemResponses(401) },
      },
    },
    async (_request, reply) => {
      const state = await health();
      return reply.code(state.status === 'ok' ? 200 : 503).send(state);
    },
  );
}
