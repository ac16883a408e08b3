import { attemptsProperty } from '../jobs/jobSchemas.ts';
import { integer, number, object, string, time } from '../schemaTypes.ts';

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

export const deadLetterSchema = {
  ...object,
  description: 'The dead letter',
  properties: {
    ...deadLetterProperties,
    attempts: attemptsProperty,
    job: { description: 'The job as it was sent.' },
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
