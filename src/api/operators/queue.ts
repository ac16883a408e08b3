import type { FastifyInstance } from 'fastify';
import type { PreviewWorkerClient } from '../../worker/previewWorkerClient.ts';
import { problemResponses } from '../http/problemSchema.ts';
import { queueMetricsSchema } from './operatorSchemas.ts';

/** How long the queue is. */
export function queueRoutes(app: FastifyInstance, { client }: { client: PreviewWorkerClient }): void {
  app.get(
    '/api/preview/queue/metrics',
    {
      schema: {
        tags: ['operations'],
        summary: 'Get the numbers of waiting and running jobs',
        response: { 200: queueMetricsSchema, ...problemResponses(401, 503) },
      },
    },
    () => client.queueMetrics(),
  );
}
