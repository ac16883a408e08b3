import { integer, object, sha256, string } from '../schemaTypes.ts';

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
