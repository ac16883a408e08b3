import { readFileSync } from 'node:fs';

/** The job's own schema, shown in the API's description. */
export const jobSchema = embeddable(
  JSON.parse(readFileSync(new URL('../../schemas/preview-job.schema.json', import.meta.url), 'utf8')),
);

/** Inside another document a schema has no `$id` and no `$schema` of its own. */
function embeddable(schema: Record<string, unknown>): Record<string, unknown> {
  const { $id: _, $schema: __, ...rest } = schema;
  return rest;
}

const object = { type: 'object', additionalProperties: true } as const;

const problemSchema = {
  ...object,
  description: 'RFC 9457 problem document',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', description: 'stable; see docs/errors.md' },
    detail: { type: 'string' },
    requestId: { type: 'string' },
    errors: {
      type: 'array',
      items: { type: 'object', properties: { pointer: { type: 'string' }, message: { type: 'string' } } },
    },
  },
} as const;

/** The same problem document for each of these statuses. */
export function problemResponses(...statuses: number[]): Record<number, typeof problemSchema> {
  return Object.fromEntries(statuses.map((status) => [status, problemSchema]));
}

export const jobRefSchema = {
  params: { type: 'object', properties: { jobId: { type: 'string' } } },
  querystring: {
    type: 'object',
    properties: {
      projectId: { type: 'string', description: 'needed where several projects have a job of this id' },
      name: { type: 'string', description: 'one artifact by its name' },
      redirect: { type: 'string', description: '1: answer 302 to the artifact' },
    },
  },
} as const;

export const statusSchema = {
  ...object,
  properties: {
    jobId: { type: 'string' },
    projectId: { type: 'string' },
    requestId: { type: 'string' },
    status: { type: 'string', enum: ['queued', 'rendering', 'retrying', 'completed', 'failed', 'cancelled'] },
    progress: { ...object, properties: { percent: { type: 'number' }, stage: { type: 'string' } } },
    attemptsMade: { type: 'integer' },
    createdAt: { type: 'string', format: 'date-time' },
    startedAt: { type: 'string', format: 'date-time' },
    finishedAt: { type: 'string', format: 'date-time' },
    links: { ...object, additionalProperties: { type: 'string' } },
  },
} as const;

const artifactProperties = {
  name: { type: 'string' },
  mediaType: { type: 'string' },
  bytes: { type: 'integer' },
  sha256: { type: 'string' },
  url: { type: 'string' },
  expiresAt: { type: 'string', format: 'date-time' },
} as const;

/** The list, or with `?name=` one of it. */
export const artifactListSchema = {
  ...object,
  properties: {
    artifacts: { type: 'array', items: { ...object, properties: artifactProperties } },
    ...artifactProperties,
  },
} as const;

export const openObjectSchema = object;
