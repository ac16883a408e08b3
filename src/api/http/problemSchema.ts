import { integer, object, string } from '../schemaTypes.ts';

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
