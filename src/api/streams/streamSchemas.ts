import { entryProperties, jobRefSchema, jobsQuerySchema, projectId } from '../jobs/jobSchemas.ts';
import { healthSchema, queueMetricsSchema } from '../operators/operatorSchemas.ts';
import { integer, number, string } from '../schemaTypes.ts';

export const playlistSchema = {
  ...jobRefSchema,
  querystring: {
    type: 'object',
    properties: {
      projectId,
      _HLS_msn: {
        ...integer,
        minimum: 0,
        description:
          'The number of a segment, counted from 0. The answer waits until the segment is there, or no more will come.',
      },
    },
  },
  response: {
    200: {
      description: 'An HLS playlist (RFC 8216)',
      content: { 'application/vnd.apple.mpegurl': { schema: string } },
    },
  },
} as const;

export const eventsSchema = {
  ...jobRefSchema,
  response: {
    200: {
      description:
        'Events: `status` (the answer of the status call), `segment` (`{index, of, startSeconds, endSeconds, reused}`: this segment can be played now; `reused` means that it existed before the job began), `end` (`{status}`)',
      content: { 'text/event-stream': { schema: string } },
    },
  },
} as const;

const queueStateSchema = {
  type: 'object',
  properties: {
    ...queueMetricsSchema.properties,
    finishedPerMinute: { ...integer, description: 'Jobs that ended within the last minute.' },
    workers: { ...integer, description: 'Workers that are connected to the queue.' },
    durations: {
      type: 'object',
      description: 'Of the jobs that were completed within the last 15 minutes.',
      properties: { count: integer, p50Seconds: number, p95Seconds: number },
    },
    health: {
      type: 'object',
      properties: { status: healthSchema.properties.status, checks: healthSchema.properties.checks },
    },
  },
} as const;

export const liveSchema = {
  querystring: { type: 'object', properties: { projectId: jobsQuerySchema.properties.projectId } },
  response: {
    200: {
      description:
        'First the present state: the 50 newest jobs and up to 200 that wait or run, the oldest first. Then each change. Events: `job` (an entry as in the list of jobs), and, for keys with the scope `operate` and at most once a second, `queue`; `x-events` has their schemas. A comment comes every 15 s. The service closes the connection if a client reads too slowly. Connect again to get the present state.',
      content: {
        'text/event-stream': {
          schema: string,
          'x-events': { job: { type: 'object', properties: entryProperties }, queue: queueStateSchema },
        },
      },
    },
  },
} as const;
