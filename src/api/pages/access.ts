import type { FastifyInstance } from 'fastify';
import { SCOPES } from '../../apiKey.ts';
import { problemResponses } from '../http/problemSchema.ts';
import { integer, object, string } from '../schemaTypes.ts';

const accessSchema = {
  ...object,
  description: 'What the caller may do',
  properties: {
    project: { ...string, description: 'The project of the API key. Absent if no keys are configured.' },
    scopes: { type: 'array', items: { ...string, enum: ['submit', 'read', 'operate'] } },
    uploadMaxBytes: integer,
  },
} as const;

/** Tells a page that was given a key which project and scopes the key has. */
export function accessRoute(app: FastifyInstance, { uploadMaxBytes }: { uploadMaxBytes: number }): void {
  app.get(
    '/api/preview/access',
    {
      schema: {
        tags: ['jobs'],
        summary: 'Get the project and the scopes of the API key',
        response: { 200: accessSchema, ...problemResponses(401, 403) },
      },
    },
    async ({ project, scopes = SCOPES }) => ({
      ...(project === undefined ? {} : { project }),
      scopes,
      uploadMaxBytes,
    }),
  );
}
