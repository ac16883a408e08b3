import { loadPreviewJobSchema } from '../../job/previewJobSchema.ts';
import { integer, number, object, sha256, string, time } from '../schemaTypes.ts';

const { $id: _, $schema: __, definitions, ...job } = loadPreviewJobSchema();

/** The job's own schema, for bodies. Its references point to {@link jobComponents}, where @fastify/swagger looks for them. */
export const jobSchema = job;

/** The definitions of the job's schema, for `components.schemas` of the OpenAPI document. */
export const jobComponents: Record<string, object> = JSON.parse(
  JSON.stringify(definitions).replaceAll('#/definitions/', '#/components/schemas/'),
);

const jobParams = { type: 'object', properties: { jobId: string } } as const;

export const projectId = {
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
export const entryProperties = {
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

export const attemptsProperty = {
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
