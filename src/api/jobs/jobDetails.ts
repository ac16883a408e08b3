import type { FastifyInstance } from 'fastify';
import type { PreviewWorkerClient } from '../../worker/previewWorkerClient.ts';
import { refOf } from './jobRef.ts';
import { historySchema, jobRefSchema, problemResponses, sentJobSchema } from './jobSchemas.ts';
import { type JobCall, withLinks } from './jobs.ts';

/** What was sent, and what became of it. */
export function jobDetailRoutes(app: FastifyInstance, { client }: { client: PreviewWorkerClient }): void {
  const tags = ['jobs'];

  app.get<JobCall>(
    '/api/preview/job/:jobId',
    {
      schema: {
        tags,
        summary: 'How a job is, and the job as it was sent',
        ...jobRefSchema,
        response: { 200: sentJobSchema, ...problemResponses(401, 404, 409, 503) },
      },
    },
    async (request) => withLinks(await client.details(refOf(request)), request),
  );

  app.get<JobCall>(
    '/api/preview/job/:jobId/history',
    {
      schema: {
        tags,
        summary: 'The attempts at a job, what they made or found, and what they logged',
        description:
          'While a job runs, what happened within the last third of a second may be missing. Of an attempt at most 3000 parts and 300 lines are kept.',
        ...jobRefSchema,
        response: { 200: historySchema, ...problemResponses(401, 404, 409, 503) },
      },
    },
    async (request) => client.history(refOf(request)),
  );
}
