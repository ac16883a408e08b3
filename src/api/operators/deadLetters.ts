import type { FastifyInstance } from 'fastify';
import type { DeadLetters } from '../../worker/deadLetters/deadLetters.ts';
import { problemResponses } from '../http/problemSchema.ts';
import { refOf } from '../jobs/jobRef.ts';
import { jobRefSchema, statusSchema } from '../jobs/jobSchemas.ts';
import { type JobCall, withLinks } from '../jobs/jobs.ts';
import { deadLetterSchema, deadLettersSchema, listSchema } from './operatorSchemas.ts';

interface ListRequest {
  Querystring: { projectId?: string; limit?: number };
}

/** Calls that list, show, replay and discard the jobs that failed for good. */
export function deadLetterRoutes(app: FastifyInstance, { deadLetters }: { deadLetters: DeadLetters }): void {
  const tags = ['operations'];
  const url = '/api/preview/dead-letter';

  app.get<ListRequest>(
    url,
    {
      schema: {
        tags,
        summary: 'List the jobs that failed for good, the newest first',
        querystring: listSchema,
        response: { 200: deadLettersSchema, ...problemResponses(400, 401, 503) },
      },
    },
    async ({ query, project }) =>
      deadLetters.list({
        projectId: project ?? query.projectId,
        ...(query.limit === undefined ? {} : { limit: query.limit }),
      }),
  );

  app.get<JobCall>(
    `${url}/:jobId`,
    {
      schema: {
        tags,
        summary: 'Get a dead letter: the job, its error and each attempt',
        ...jobRefSchema,
        response: { 200: deadLetterSchema, ...problemResponses(401, 404, 409, 503) },
      },
    },
    async (request) => deadLetters.get(refOf(request)),
  );

  app.post<JobCall>(
    `${url}/:jobId/replay`,
    {
      schema: {
        tags,
        summary: 'Replay a dead letter',
        description:
          'Sends the job again, with the same checks as for a new job. The dead letter is removed when the job is accepted.',
        ...jobRefSchema,
        response: {
          200: statusSchema,
          202: statusSchema,
          ...problemResponses(400, 401, 404, 409, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const { outcome, status } = await deadLetters.replay(refOf(request));
      const { jobId, projectId } = status;
      request.log.info({ jobId, projectId, outcome }, 'dead letter replayed');
      const body = withLinks(status, request);
      return reply
        .code(outcome === 'accepted' ? 202 : 200)
        .header('location', body.links.status)
        .send(body);
    },
  );

  app.delete<JobCall>(
    `${url}/:jobId`,
    {
      schema: {
        tags,
        summary: 'Discard a dead letter',
        description: 'The record still says that the job failed.',
        ...jobRefSchema,
        response: {
          204: { description: 'The dead letter was discarded', type: 'null' },
          ...problemResponses(401, 404, 409, 503),
        },
      },
    },
    async (request, reply) => {
      await deadLetters.discard(refOf(request));
      request.log.info({ jobId: request.params.jobId }, 'dead letter discarded');
      return reply.code(204).send();
    },
  );
}
