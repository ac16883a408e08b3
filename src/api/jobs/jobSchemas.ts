import { loadPreviewJobSchema } from '../../job/previewJobSchema.ts';

/*
 * The schemas of requests and answers for the OpenAPI document. Fastify serialises answers by them, so all objects are
 * open: a schema can never swallow a field.
 */

const object = { type: 'object', additionalProperties: true } as const;
const string = { type: 'string' } as const;
const integer = { type: 'integer' } as const;
const number = { type: 'number' } as const;
const time = { type: 'string', format: 'date-time' } as const;
const sha256 = { type: 'string', description: 'SHA-256, 64 lower-case hex digits' } as const;

const { $id: _, $schema: __, definitions, ...job } = loadPreviewJobSchema();

/** The job's own schema, for bodies. Its references point to {@link jobComponents}, where @fastify/swagger looks for them. */
export const jobSchema = job;

/** The definitions of the job's schema, for `components.schemas` of the OpenAPI document. */
export const jobComponents: Record<string, object> = JSON.parse(
  JSON.stringify(definitions).replaceAll('#/definitions/', '#/components/schemas/'),
);

const problemSchema = {
  ...object,
  description: 'A problem document (RFC 9457)',
  properties: {
    type: string,
    title: { ...string, description: 'The same for every problem with this code.' },
    status: integer,
    code: { ...string, description: 'Never changes; see docs/errors.md.' },
    detail: { ...string, description: 'What was wrong this time.' },
    requestId: string,
    errors: {
      type: 'array',
      description: 'Each mistake in the job, with a JSON pointer to its field.',
      items: { type: 'object', properties: { pointer: string, message: string } },
    },
  },
} as const;

/** The problem document, for each of these statuses. */
export function problemResponses(...statuses: number[]): Record<number, unknown> {
  const response = {
    description: problemSchema.description,
    content: { 'application/problem+json': { schema: problemSchema } },
  };
  return Object.fromEntries(statuses.map((status) => [status, response]));
}

const jobParams = { type: 'object', properties: { jobId: string } } as const;
const projectId = {
  ...string,
  description:
    'The project of the job. Needed if several projects have a job with this id. An API key replaces it.',
} as const;

export const jobRefSchema = {
  params: jobParams,
  querystring: { type: 'object', properties: { projectId } },
} as const;

export const artifactRefSchema = {
  params: jobParams,
  querystring: {
    type: 'object',
    properties: {
      projectId,
      name: { ...string, description: 'Only the artifact with this name.' },
      redirect: { ...string, description: '`1`, together with `name`, answers 302 to the artifact.' },
    },
  },
} as const;

const warning = { ...object, properties: { code: string, message: string, step: integer } } as const;

const errorProperty = { ...object, properties: { code: string, message: string } } as const;

/** The fields that every answer about a job has. */
const entryProperties = {
  jobId: string,
  projectId: string,
  requestId: string,
  title: string,
  priority: { ...string, enum: ['high', 'normal', 'low'] },
  status: { ...string, enum: ['queued', 'rendering', 'retrying', 'completed', 'failed', 'cancelled'] },
  progress: {
    ...object,
    properties: { percent: { ...number, description: '0 to 100' }, stage: string },
  },
  attemptsMade: integer,
  createdAt: time,
  startedAt: time,
  finishedAt: time,
  error: errorProperty,
  links: {
    ...object,
    description: 'The other calls about this job. Use the links as they are.',
    properties: {
      self: string,
      status: string,
      history: string,
      artifacts: string,
      stream: string,
      events: string,
      cancel: string,
    },
  },
} as const;

const statusProperties = {
  ...entryProperties,
  warnings: { type: 'array', items: warning },
  plan: { ...object, description: 'For a dry run: what a render would do.' },
} as const;

export const statusSchema = {
  ...object,
  description: 'The present state of the job',
  properties: statusProperties,
} as const;

export const jobsQuerySchema = {
  type: 'object',
  properties: {
    status: {
      ...string,
      description: 'Only jobs with one of these states, separated by commas: `queued,rendering,retrying`.',
    },
    priority: {
      ...string,
      description: 'Only jobs with one of these priorities, separated by commas: `high,normal`.',
    },
    projectId: {
      ...string,
      pattern: '^[A-Za-z0-9._-]{1,128}$',
      description: 'Only jobs of this project. An API key replaces it.',
    },
    q: {
      ...string,
      maxLength: 200,
      description: 'Only jobs whose id, request id or title contains this text. Case does not matter.',
    },
    limit: { ...integer, minimum: 1, maximum: 200, description: 'Most jobs on a page; 50 by default.' },
    cursor: { ...string, maxLength: 600, description: 'The `next` of the previous page.' },
  },
} as const;

export const jobsSchema = {
  ...object,
  description: 'A page of jobs',
  properties: {
    jobs: { type: 'array', items: { ...object, properties: entryProperties } },
    next: { ...string, description: 'The `cursor` of the next page. The last page has none.' },
  },
} as const;

const artifactProperties = {
  name: string,
  mediaType: string,
  bytes: integer,
  sha256,
  url: { ...string, description: 'Signed, relative to the service, and valid until `expiresAt`.' },
  expiresAt: time,
} as const;

export const artifactsSchema = {
  ...object,
  description: 'All artifacts of the job, or with `name` that one',
  properties: {
    artifacts: { type: 'array', items: { ...object, properties: artifactProperties } },
    ...artifactProperties,
  },
} as const;

export const listSchema = {
  type: 'object',
  properties: {
    projectId: { ...string, description: 'Only dead letters of this project.' },
    limit: { ...integer, minimum: 1, maximum: 1000, description: 'Most entries; 100 by default.' },
  },
} as const;

const deadLetterProperties = {
  projectId: string,
  jobId: string,
  requestId: string,
  error: { ...object, properties: { code: string, message: string } },
  place: {
    ...object,
    description: 'Where the last attempt failed, as far as that is known.',
    properties: { stage: string, part: string, step: integer, asset: string },
  },
  attemptsMade: integer,
  acceptedAt: time,
  failedAt: time,
} as const;

export const deadLettersSchema = {
  ...object,
  description: 'The jobs that failed for good, until somebody replays or discards them',
  properties: {
    total: { ...integer, description: 'How many there are in all.' },
    deadLetters: { type: 'array', items: { ...object, properties: deadLetterProperties } },
  },
} as const;

const attemptsProperty = {
  type: 'array',
  items: {
    ...object,
    description: 'Without `outcome` it is running, or its worker died.',
    properties: {
      attempt: {
        ...integer,
        description:
          '1 for the first. Attempts that were lost or given back do not count, so a number may occur twice.',
      },
      worker: string,
      startedAt: time,
      endedAt: time,
      outcome: { ...string, enum: ['completed', 'cancelled', 'failed', 'givenBack', 'lockLost'] },
      error: errorProperty,
      place: {
        ...object,
        description: 'Where it failed, as far as that is known.',
        properties: { stage: string, part: string, step: integer, asset: string },
      },
    },
  },
} as const;

export const historySchema = {
  ...object,
  description: 'The history of the job',
  properties: {
    attempts: attemptsProperty,
    parts: {
      type: 'array',
      description: 'The parts that each attempt rendered, or found in the store.',
      items: {
        ...object,
        properties: {
          attempt: integer,
          kind: { ...string, description: '`slide`, `segment`, `soundtrack`, `movie` and so on.' },
          reused: { type: 'boolean' },
          startedAt: time,
          endedAt: time,
        },
      },
    },
    logs: {
      type: 'array',
      description: 'Log lines without paths, addresses and stacks, which are in the log of the worker.',
      items: {
        ...object,
        properties: { time, level: string, msg: string, attempt: integer, error: errorProperty },
      },
    },
  },
} as const;

export const sentJobSchema = {
  ...object,
  description: 'The present state of the job, and the job as it was sent',
  properties: {
    ...statusProperties,
    job: { description: 'The job as it was sent, if it was kept.' },
  },
} as const;

export const deadLetterSchema = {
  ...object,
  description: 'The dead letter',
  properties: {
    ...deadLetterProperties,
    attempts: attemptsProperty,
    job: { description: 'The job as it was sent.' },
  },
} as const;

export const accessSchema = {
  ...object,
  description: 'What the caller may do',
  properties: {
    project: { ...string, description: 'The project of the API key. Absent if no keys are configured.' },
    scopes: { type: 'array', items: { ...string, enum: ['submit', 'read', 'operate'] } },
    uploadMaxBytes: integer,
  },
} as const;

export const uploadSchema = {
  ...object,
  description: 'The file was stored',
  properties: {
    sha256: { ...sha256, description: 'What a job uses as the `upload` of an asset.' },
    bytes: integer,
    mediaType: string,
  },
} as const;

export const uploadRefSchema = { params: { type: 'object', properties: { sha256 } } } as const;

export const uploadsListSchema = {
  type: 'object',
  properties: {
    limit: { ...integer, minimum: 1, maximum: 1000, description: 'Most entries; 100 by default.' },
  },
} as const;

export const uploadsSchema = {
  ...object,
  description: 'The uploads of the project, and how much room they take',
  properties: {
    total: { ...integer, description: 'How many there are in all.' },
    usedBytes: integer,
    quotaBytes: { ...integer, description: 'The most that all uploads may take; 0 if there is no limit.' },
    uploads: { type: 'array', items: { ...object, properties: { sha256, bytes: integer } } },
  },
} as const;

const bytes = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } as const;

export const downloadSchema = {
  params: { type: 'object', properties: { sha256, name: string } },
  querystring: {
    type: 'object',
    properties: { expires: string, kid: string, signature: string, disposition: string },
  },
  response: {
    200: { description: 'The file', content: bytes },
    206: { description: 'The requested range of the file', content: bytes },
    304: { description: 'The file is still what `If-None-Match` names', type: 'null' },
  },
} as const;

const counts = {
  type: 'object',
  description: 'The number of jobs in each state.',
  additionalProperties: integer,
} as const;

export const queueMetricsSchema = {
  ...object,
  description: 'The present state of the queue',
  properties: {
    counts,
    total: integer,
    waiting: integer,
    limit: { ...integer, description: 'How many jobs may wait before POST answers 429.' },
    oldestWaitingAgeSeconds: number,
    deadLetters: {
      ...integer,
      description: 'Jobs that failed for good, until somebody replays or discards them.',
    },
  },
} as const;

export const healthSchema = {
  ...object,
  description: 'The health of the service',
  properties: {
    status: { ...string, enum: ['ok', 'down'] },
    queue: {
      ...object,
      properties: { connected: { type: 'boolean' }, latencyMs: { type: ['number', 'null'] }, counts },
    },
    workers: {
      type: 'array',
      items: { ...object, properties: { name: string, activeJobs: integer, concurrency: integer } },
    },
    checks: {
      type: 'array',
      items: { ...object, properties: { name: string, ok: { type: 'boolean' }, message: string } },
    },
  },
} as const;

export const probeSchema = {
  ...object,
  description: 'The state in one word',
  properties: { status: { ...string, enum: ['ok', 'down'] } },
} as const;

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

export const planSchema = {
  ...object,
  description: 'What a render would do',
  properties: {
    durationSeconds: number,
    width: integer,
    height: integer,
    fps: integer,
    timeline: {
      type: 'array',
      items: { ...object, properties: { id: string, startSeconds: number, endSeconds: number } },
    },
    parts: {
      type: 'array',
      description: 'The segments and the soundtrack. Those that are `reused` are in the store already.',
      items: { ...object, properties: { kind: string, key: string, reused: { type: 'boolean' } } },
    },
    estimate: {
      ...object,
      description: 'Based on earlier renders on this machine. Absent before the first one.',
      properties: { seconds: number, bytes: integer },
    },
    warnings: {
      type: 'array',
      items: { ...object, properties: { code: string, message: string, step: integer } },
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

export const deliveriesSchema = {
  ...object,
  description:
    'The webhook messages of the job, the newest first. There are none if the job has no webhook or has not ended',
  properties: {
    deliveries: {
      type: 'array',
      items: {
        ...object,
        properties: {
          id: { ...string, description: 'The header `webhook-id`.' },
          url: { ...string, description: 'Without user info and query.' },
          status: { ...string, enum: ['pending', 'delivered', 'failed'] },
          nextAttemptAt: time,
          attempts: {
            type: 'array',
            items: {
              ...object,
              properties: { at: time, milliseconds: integer, status: integer, failure: string },
            },
          },
        },
      },
    },
  },
} as const;
