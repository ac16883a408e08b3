import type { FastifyInstance } from 'fastify';
import type { PreviewWorkerClient } from '../../worker/previewWorkerClient.ts';
import { problemResponses } from '../http/problemSchema.ts';
import { refOf } from './jobRef.ts';
import { historySchema, jobRefSchema, sentJobSchema } from './jobSchemas.ts';
import { type JobCall, withLinks } from './jobs.ts';

/** What was sent, and what became of it. */
export function jobDetailRoutes(app: FastifyInstance, { client }: { client: PreviewWorkerClient }): void {
  const tags = ['jobs'];

  app.get<JobCall>(
    '/api/preview/job/:jobId',
    {
      schema: {
        tags,
        summary: 'Get a job as it was sent, with its present state',
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
        summary: 'Get the attempts, parts and log lines of a job',
        description:
          'While a job runs, the last third of a second may be missing. For each attempt at most 3000 parts and 300 log lines are kept.',
        ...jobRefSchema,
        response: { 200: historySchema, ...problemResponses(401, 404, 409, 503) },
      },
    },
    async (request) => client.history(refOf(request)),
  );
}
