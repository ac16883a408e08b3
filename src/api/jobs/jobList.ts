import type { FastifyInstance } from 'fastify';
import { PreviewError } from '../../errors.ts';
import type { Priority } from '../../job/jobRecord.ts';
import type { PreviewWorkerClient } from '../../worker/previewWorkerClient.ts';
import type { JobFilter } from '../../worker/records/jobList.ts';
import type { JobState } from '../../worker/records/jobStatus.ts';
import { problemResponses } from '../http/problemSchema.ts';
import { jobsQuerySchema, jobsSchema } from './jobSchemas.ts';
import { withLinks } from './jobs.ts';

interface ListCall {
  Querystring: {
    status?: string;
    priority?: string;
    projectId?: string;
    q?: string;
    limit?: number;
    cursor?: string;
  };
}

const STATUSES = [
  'queued',
  'rendering',
  'retrying',
  'completed',
  'failed',
  'cancelled',
] as const satisfies readonly JobState[];
const PRIORITIES = ['high', 'normal', 'low'] as const satisfies readonly Priority[];
const LIMIT = 50;

/** All jobs, page by page. */
export function jobListRoutes(app: FastifyInstance, { client }: { client: PreviewWorkerClient }): void {
  app.get<ListCall>(
    '/api/preview/jobs',
    {
      schema: {
        tags: ['jobs'],
        summary: 'List all jobs, the last accepted first',
        description: 'A page may hold fewer jobs than `limit`, even none, and still have a `next`.',
        querystring: jobsQuerySchema,
        response: { 200: jobsSchema, ...problemResponses(400, 401, 503) },
      },
    },
    async (request) => {
      const { status, priority, projectId, q, limit = LIMIT, cursor } = request.query;
      const filter: JobFilter = {
        projectId: request.project ?? projectId,
        statuses: wordsOf('status', status, STATUSES),
        priorities: wordsOf('priority', priority, PRIORITIES),
        text: q,
      };
      const { jobs, ...rest } = await client.list(filter, { limit, cursor });
      return { jobs: jobs.map((job) => withLinks(job, request)), ...rest };
    },
  );
}

/** Parses words separated by commas, each of them one of `known`. @returns undefined if there are none */
function wordsOf<Word extends string>(
  name: string,
  text: string | undefined,
  known: readonly Word[],
): Word[] | undefined {
  if (!text) return undefined;
  return text.split(',').map((given) => {
    const word = known.find((one) => one === given.trim());
    if (word === undefined) {
      const message = `${name} is "${given}", but must be one or more of ${known.join(', ')}, separated by commas.`;
      throw new PreviewError('invalid_request', message);
    }
    return word;
  });
}
