import type { FastifyInstance } from 'fastify';
import { describeUnknown, mediaFormats, SNIFF_BYTES, sniffFormat } from '../../assets/sniff.ts';
import { PreviewError } from '../../errors.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';
import { createUploadQuota, type UploadQuota } from '../../storage/uploadQuota.ts';
import { problemResponses } from '../http/problemSchema.ts';
import { uploadRefSchema, uploadSchema, uploadsListSchema, uploadsSchema } from './fileSchemas.ts';

/** What a project may upload. */
export interface UploadLimits {
  /** Of one file. */
  uploadMaxBytes: number;
  /** Of all uploads of a project together; 0: no limit. */
  uploadQuotaBytes: number;
}

/** Calls that upload files, list the uploads and remove one. */
export function assetRoutes(app: FastifyInstance, parts: UploadLimits & { store: ArtifactStore }): void {
  const { store, uploadMaxBytes: maxBytes, uploadQuotaBytes: quotaBytes } = parts;
  const quota = createUploadQuota({ store, quotaBytes, maxBytes });
  sendRoute(app, { store, quota, maxBytes });
  const tags = ['assets'];

  app.get<{ Querystring: { limit?: number } }>(
    '/api/assets',
    {
      schema: {
        tags,
        summary: 'List the uploads of the project',
        querystring: uploadsListSchema,
        response: { 200: uploadsSchema, ...problemResponses(400, 401, 403, 429, 503) },
      },
    },
    async ({ project, query: { limit = 100 } }) => {
      const uploads = await store.listUploads(project);
      const usedBytes = uploads.reduce((sum, { bytes }) => sum + bytes, 0);
      return { total: uploads.length, usedBytes, quotaBytes, uploads: uploads.slice(0, limit) };
    },
  );

  app.delete<{ Params: { sha256: string } }>(
    '/api/assets/:sha256',
    {
      schema: {
        tags,
        summary: 'Remove an upload',
        description:
          'It no longer counts against the quota, and jobs that begin later cannot use it. Previews that show it stay.',
        ...uploadRefSchema,
        response: {
          204: { description: 'The upload was removed', type: 'null' },
          ...problemResponses(401, 403, 404, 429, 503),
        },
      },
    },
    async ({ project, params: { sha256 } }, reply) => {
      if (await quota.remove(project, sha256)) return reply.code(204).send();
      throw new PreviewError(
        'not_found',
        `There is no upload ${sha256}; GET /api/assets lists those that exist.`,
      );
    },
  );
}

/** The body is the file, streamed to the store; its digest is then an asset's `upload`. */
function sendRoute(
  app: FastifyInstance,
  { store, quota, maxBytes }: { store: ArtifactStore; quota: UploadQuota; maxBytes: number },
): void {
  // In a scope of its own: here every content type is a stream of bytes, also application/json.
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    scope.post(
      '/api/assets',
      {
        schema: {
          tags: ['assets'],
          summary: 'Upload a picture, a sound or a video',
          description:
            'The body is the file: `curl --data-binary @photo.jpg`. Its bytes decide its type; the header does not matter.',
          consumes: ['application/octet-stream'],
          response: { 201: uploadSchema, ...problemResponses(400, 401, 403, 413, 415, 422, 429, 503) },
        },
      },
      async (request, reply) => {
        const tooLarge = () =>
          new PreviewError('payload_too_large', `The file is larger than ${maxBytes} bytes.`);
        const { 'content-length': length } = request.headers;
        const announced = length === undefined ? undefined : Number(length);
        if (announced !== undefined && announced > maxBytes) throw tooLarge();
        const chunks = request.raw[Symbol.asyncIterator]();
        const upload = checkType(chunks);
        try {
          const object = await quota.keep(request.project, announced, (most) =>
            store.putObject(upload.bytes, { maxBytes: most }),
          );
          return reply.code(201).send({ ...object, mediaType: upload.mediaType() });
        } catch (error) {
          if (request.raw.destroyed && !request.raw.complete) {
            throw new PreviewError('invalid_request', 'The upload was cut off.', { cause: error });
          }
          void discard(chunks);
          throw error instanceof PreviewError && error.code === 'asset_too_large' ? tooLarge() : error;
        }
      },
    );
  });
}

/** Passes a stream on once its first bytes show a supported type. */
function checkType(chunks: AsyncIterator<Uint8Array>): {
  bytes: AsyncIterable<Uint8Array>;
  /** The format of the bytes, known once they have been read. */
  mediaType(): string;
} {
  let mediaType = '';
  const readHead = (head: Buffer): void => {
    if (head.length === 0)
      throw new PreviewError('asset_empty', 'The body is empty; send the file as the body.');
    const format = sniffFormat(head);
    if (!format) {
      const accepted = Object.keys(mediaFormats).join(', ');
      throw new PreviewError(
        'unsupported_media_type',
        `The file is ${describeUnknown(head)}; send ${accepted}.`,
      );
    }
    mediaType = mediaFormats[format].mediaType;
  };
  // Not `for await`: leaving that early destroys the request, and its socket before the sender has read the answer.
  const passOn = async function* (): AsyncGenerator<Uint8Array> {
    let head = Buffer.alloc(0);
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
      const chunk = next.value;
      if (mediaType) {
        yield chunk;
        continue;
      }
      head = Buffer.concat([head, chunk]);
      if (head.length < SNIFF_BYTES) continue;
      readHead(head);
      yield head;
    }
    if (mediaType) return;
    readHead(head);
    yield head;
  };
  return { bytes: passOn(), mediaType: () => mediaType };
}

/** Reads the rest of a refused upload: many senders look at the answer only when they have sent everything. */
async function discard(chunks: AsyncIterator<Uint8Array>): Promise<void> {
  try {
    while (!(await chunks.next()).done);
  } catch {
    // The sender is gone, so nobody will read the answer.
  }
}
