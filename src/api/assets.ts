import type { FastifyInstance } from 'fastify';
import { describeUnknown, mediaFormats, SNIFF_BYTES, sniffFormat } from '../assets/sniff.ts';
import { PreviewError } from '../errors.ts';
import type { ArtifactStore } from '../storage/artifactStore.ts';
import type { Authorize } from './auth.ts';
import { openObjectSchema, problemResponses } from './schemas.ts';

/** Uploads: the body is the file, streamed to the store; its digest is then an asset's `upload`. */
export function assetRoutes(
  app: FastifyInstance,
  { store, authorize, maxBytes }: { store: ArtifactStore; authorize: Authorize; maxBytes: number },
): void {
  // In a scope of its own: here every content type is a stream of bytes, also application/json.
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    scope.post(
      '/api/assets',
      {
        bodyLimit: maxBytes,
        schema: {
          tags: ['assets'],
          summary: 'Upload a picture or sound',
          description: 'curl --data-binary @photo.jpg; the type is what the bytes say.',
          response: { 201: openObjectSchema, ...problemResponses(400, 401, 413, 415, 503) },
        },
      },
      async (request, reply) => {
        authorize(request);
        if (!request.body)
          throw new PreviewError('asset_empty', 'The body is empty; send the file as the body.');
        const checked = checkedStream(request.body as AsyncIterable<Uint8Array>);
        const object = await store.putObject(checked.bytes, { maxBytes }).catch((error: unknown) => {
          if (!(error instanceof PreviewError) || error.code !== 'asset_too_large') throw error;
          throw new PreviewError('payload_too_large', error.message);
        });
        return reply.code(201).send({ ...object, mediaType: checked.mediaType() });
      },
    );
  });
}

/** Passes a stream on, once its first bytes are known to be of a type that is accepted. */
function checkedStream(source: AsyncIterable<Uint8Array>) {
  let mediaType = '';
  const check = (head: Buffer): void => {
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
  const bytes = async function* (): AsyncGenerator<Uint8Array> {
    let head: Buffer | undefined = Buffer.alloc(0);
    for await (const chunk of source) {
      if (!head) {
        yield chunk;
        continue;
      }
      head = Buffer.concat([head, chunk]);
      if (head.length < SNIFF_BYTES) continue;
      check(head.subarray(0, SNIFF_BYTES));
      yield head;
      head = undefined;
    }
    if (head) {
      check(head);
      yield head;
    }
  };
  return { bytes: bytes(), mediaType: () => mediaType };
}
