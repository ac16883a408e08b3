/*
 * The schemas of requests and answers for the OpenAPI document. Fastify serialises answers by them, so all objects are
 * open: a schema can never swallow a field.
 */

export const object = { type: 'object', additionalProperties: true } as const;
export const string = { type: 'string' } as const;
export const integer = { type: 'integer' } as const;
export const number = { type: 'number' } as const;
export const time = { type: 'string', format: 'date-time' } as const;
export const sha256 = { type: 'string', description: 'SHA-256, 64 lower-case hex digits' } as const;
