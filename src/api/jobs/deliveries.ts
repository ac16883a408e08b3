import type { FastifyInstance } from 'fastify';
import type { PreviewWorkerClient } from '../../worker/previewWorkerClient.ts';
import type { Webhooks } from '../../worker/webhooks/webhooks.ts';
import { problemResponses } from '../http/problemSchema.ts';
import { refOf } from './jobRef.ts';
import { deliveriesSchema, jobRefSchema } from './jobSchemas.ts';
import type { JobCall } from './jobs.ts';

/** How the webhooks of a job went. */
export function deliveryRoutes(
  app: FastifyInstance,
  { client, webhooks }: { client: PreviewWorkerClient; webhooks: Webhooks },
): void {
  app.get<JobCall>(
    '/api/preview/job/:jobId/deliveries',
    {
      schema: {
        tags: ['jobs'],
        summary: 'List the deliveries of the webhook of a job',
        ...jobRefSchema,
        response: { 200: deliveriesSchema, ...problemResponses(401, 404, 409, 503) },
      },
    },
    async (request) => {
      // A caller who may not see the job must not see its deliveries.
      const { projectId, jobId } = await client.status(refOf(request));
      return { deliveries: await webhooks.deliveries({ projectId, jobId }) };
    },
  );
}
