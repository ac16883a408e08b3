import { loadPreviewJobSchema } from '../../job/previewJobSchema.ts';

/*
 * What the API's description says of requests and answers. Fastify serialises answers by these schemas; all objects
 * are open, so that a schema can never swallow a field.
 */

const object = { type: 'object', additionalProperties: true } as const;
const string = { type: 'string' } as const;
const integer = { type: 'integer' } as const;
const number = { type: 'number' } as const;
const time = { type: 'string', format: 'date-time' } as const;
const sha256 = { type: 'string', description: 'SHA-256, 64 lower-case hex digits' } as const;

const { $id: _, $schema: __, definitions, ...job } = loadPreviewJobSchema();

/** The job's own schema, as a body. Its references lead to {@link jobComponents}, where @fastify/swagger looks for them. */
export const jobSchema = job;

/** What the job's schema refers to, for `components.schemas` of the description. */
export const jobComponents: Record<string, object> = JSON.parse(
  JSON.stringify(definitions).replaceAll('#/definitions/', '#/components/schemas/'),
);

const problemSchema = {
  ...object,
  description: 'What went wrong (RFC 9457)',
  properties: {
    type: string,
    title: { ...string, description: 'the same for every problem of a code' },
    status: integer,
    code: { ...string, description: 'stable; see docs/errors.md' },
    detail: { ...string, description: 'what was wrong this time' },
    requestId: string,
    errors: {
      type: 'array',
      description: 'each mistake of an input',
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
    'Needed where several projects have a job of this id; with API keys it is the key that says it.',
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
      name: { ...string, description: 'Only the artifact of this name.' },
      redirect: { ...string, description: '1, together with name: 302 to the artifact.' },
    },
  },
} as const;

const warning = { ...object, properties: { code: string, message: string, step: integer } } as const;

const errorProperty = { ...object, properties: { code: string, message: string } } as const;

/** What every answer about a job says of it. */
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
    description: 'where the rest about the job is; they may be followed as they are',
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
  plan: { ...object, description: 'of a dry run: what a render would do' },
} as const;

export const statusSchema = {
  ...object,
  description: 'A job, as it is now',
  properties: statusProperties,
} as const;

export const jobsQuerySchema = {
  type: 'object',
  properties: {
    status: { ...string, description: 'Only jobs of these, with commas: `queued,rendering,retrying`.' },
    priority: { ...string, description: 'Only jobs of these, with commas: `high,normal`.' },
    projectId: {
      ...string,
      pattern: '^[A-Za-z0-9._-]{1,128}$',
      description: 'Only jobs of this project; with API keys it is the key that says it.',
    },
    q: {
      ...string,
      maxLength: 200,
      description: 'Only jobs with this in their id, request id or title; capitals make no difference.',
    },
    limit: { ...integer, minimum: 1, maximum: 200, description: 'At most so many; 50 if left out.' },
    cursor: { ...string, maxLength: 600, description: '`next` of the page before.' },
  },
} as const;

export const jobsSchema = {
  ...object,
  description: 'A page of jobs',
  properties: {
    jobs: { type: 'array', items: { ...object, properties: entryProperties } },
    next: { ...string, description: '`cursor` of the next page; absent where this is the last one' },
  },
} as const;

const artifactProperties = {
  name: string,
  mediaType: string,
  bytes: integer,
  sha256,
  url: { ...string, description: 'signed, relative to the service; good until expiresAt' },
  expiresAt: time,
} as const;

export const artifactsSchema = {
  ...object,
  description: 'All artifacts of the job; with `name` that one alone',
  properties: {
    artifacts: { type: 'array', items: { ...object, properties: artifactProperties } },
    ...artifactProperties,
  },
} as const;

export const listSchema = {
  type: 'object',
  properties: {
    projectId: { ...string, description: 'Only those of this project.' },
    limit: { ...integer, minimum: 1, maximum: 1000, description: 'At most so many; 100 if left out.' },
  },
} as const;

const deadLetterProperties = {
  projectId: string,
  jobId: string,
  requestId: string,
  error: { ...object, properties: { code: string, message: string } },
  place: {
    ...object,
    description: 'where the last attempt failed, as far as it is known',
    properties: { stage: string, part: string, step: integer, asset: string },
  },
  attemptsMade: integer,
  acceptedAt: time,
  failedAt: time,
} as const;

export const deadLettersSchema = {
  ...object,
  description: 'Jobs that failed for good, until they are replayed or discarded',
  properties: {
    total: { ...integer, description: 'how many there are, also beyond `limit`' },
    deadLetters: { type: 'array', items: { ...object, properties: deadLetterProperties } },
  },
} as const;

const attemptsProperty = {
  type: 'array',
  items: {
    ...object,
    description: 'without `outcome` it runs, or its worker died under it',
    properties: {
      attempt: {
        ...integer,
        description:
          '1 for the first; one that was lost or given back does not count, so a number may come twice',
      },
      worker: string,
      startedAt: time,
      endedAt: time,
      outcome: { ...string, enum: ['completed', 'cancelled', 'failed', 'givenBack', 'lockLost'] },
      error: errorProperty,
      place: {
        ...object,
        description: 'where it failed, as far as it is known',
        properties: { stage: string, part: string, step: integer, asset: string },
      },
    },
  },
} as const;

export const historySchema = {
  ...object,
  description: 'What became of a job',
  properties: {
    attempts: attemptsProperty,
    parts: {
      type: 'array',
      description: 'what each attempt made, or found in the store',
      items: {
        ...object,
        properties: {
          attempt: integer,
          kind: { ...string, description: '`slide`, `segment`, `soundtrack`, `movie` and so on' },
          reused: { type: 'boolean' },
          startedAt: time,
          endedAt: time,
        },
      },
    },
    logs: {
      type: 'array',
      description: 'without paths, addresses and stacks; those are in the log of the worker',
      items: {
        ...object,
        properties: { time, level: string, msg: string, attempt: integer, error: errorProperty },
      },
    },
  },
} as const;

export const sentJobSchema = {
  ...object,
  description: 'A job, as it is now and as it was sent',
  properties: {
    ...statusProperties,
    job: { description: 'as it was sent; absent where it was not kept' },
  },
} as const;

export const deadLetterSchema = {
  ...object,
  description: 'One of them in full',
  properties: {
    ...deadLetterProperties,
    attempts: attemptsProperty,
    job: { description: 'the job as it was sent' },
  },
} as const;

export const accessSchema = {
  ...object,
  description: 'What the caller may do',
  properties: {
    project: { ...string, description: "the API key's; absent where no keys are configured" },
    scopes: { type: 'array', items: { ...string, enum: ['submit', 'read', 'operate'] } },
    uploadMaxBytes: integer,
  },
} as const;

export const uploadSchema = {
  ...object,
  description: 'The file, as a job refers to it',
  properties: {
    sha256: { ...sha256, description: 'the `upload` of an asset' },
    bytes: integer,
    mediaType: string,
  },
} as const;

export const uploadRefSchema = { params: { type: 'object', properties: { sha256 } } } as const;

export const uploadsListSchema = {
  type: 'object',
  properties: {
    limit: { ...integer, minimum: 1, maximum: 1000, description: 'At most so many; 100 if left out.' },
  },
} as const;

export const uploadsSchema = {
  ...object,
  description: 'The uploads of the project, and how much room they take',
  properties: {
    total: { ...integer, description: 'how many there are, also beyond `limit`' },
    usedBytes: integer,
    quotaBytes: { ...integer, description: 'what they may have together; 0 where there is no limit' },
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
    206: { description: 'The range of it that was asked for', content: bytes },
    304: { description: 'It is what If-None-Match says', type: 'null' },
  },
} as const;

const counts = { type: 'object', description: 'jobs by state', additionalProperties: integer } as const;

export const queueMetricsSchema = {
  ...object,
  description: 'The queue, as it is now',
  properties: {
    counts,
    total: integer,
    waiting: integer,
    limit: { ...integer, description: 'where POST answers 429' },
    oldestWaitingAgeSeconds: number,
    deadLetters: {
      ...integer,
      description: 'jobs that failed for good, until they are replayed or discarded',
    },
  },
} as const;

export const healthSchema = {
  ...object,
  description: 'How the service is',
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
  description: 'One word',
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
          'Of a segment, counted from 0: the answer waits until it is there, or nothing more will come.',
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
      description: 'segments and the soundtrack; what is reused is in the store',
      items: { ...object, properties: { kind: string, key: string, reused: { type: 'boolean' } } },
    },
    estimate: {
      ...object,
      description: 'from what renders took on this machine; absent before its first one',
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
        'Events `status` (as the status call answers), `segment` (`{index, of, startSeconds, endSeconds, reused}`: it can be played now; `reused` where it was there before the job began), `end` (`{status}`)',
      content: { 'text/event-stream': { schema: string } },
    },
  },
} as const;

const queueStateSchema = {
  type: 'object',
  properties: {
    ...queueMetricsSchema.properties,
    finishedPerMinute: { ...integer, description: 'jobs that ended within the last minute' },
    workers: { ...integer, description: 'that the queue knows, of all processes' },
    durations: {
      type: 'object',
      description: 'of jobs completed within the last quarter of an hour',
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
        'First the 50 newest jobs and up to 200 that wait or run, the oldest first, then each change. Events: `job` (an entry as in the list of jobs), and for keys with the scope `operate` `queue` (as `x-events` says), at most once a second. A comment every 15 s. Who reads too slowly, or finds the connection closed, connects again and is told the present state.',
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
  description: 'The webhooks of the job, the newest first; none where it asked for none or has not ended',
  properties: {
    deliveries: {
      type: 'array',
      items: {
        ...object,
        properties: {
          id: { ...string, description: 'webhook-id' },
          url: { ...string, description: 'without user info and query' },
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
