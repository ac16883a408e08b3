import { extname } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PreviewError } from '../errors.ts';
import type { ArtifactStore, ByteRange } from '../storage/artifactStore.ts';
import type { UrlSigner } from '../storage/signedUrl.ts';

const MEDIA_TYPES: Record<string, string> = {
  '.mp4': 'video/mp4',
  '.webm': 'video/webm',
  '.jpg': 'image/jpeg',
  '.vtt': 'text/vtt; charset=utf-8',
  '.srt': 'application/x-subrip; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
};

/** Downloads by signed URL, with ranges (RFC 9110, 14) and immutable caching: an address never changes its bytes. */
export function artifactRoutes(
  app: FastifyInstance,
  { store, signer }: { store: ArtifactStore; signer: UrlSigner },
): void {
  app.get<{ Params: { sha256: string; name: string }; Querystring: Record<string, unknown> }>(
    '/artifacts/:sha256/:name',
    { schema: { tags: ['artifacts'], summary: 'Download by signed URL' }, exposeHeadRoute: true },
    async (request, reply) => {
      const { sha256, name } = request.params;
      if (!signer.verify({ sha256, name, query: request.query })) throw new PreviewError('invalid_signature');
      const object = await store.statObject(sha256);
      if (!object) throw new PreviewError('artifact_not_found');
      const etag = `"${sha256}"`;
      const how = request.query.disposition === 'attachment' ? 'attachment' : 'inline';
      reply.headers({
        etag,
        'accept-ranges': 'bytes',
        'cache-control': 'private, max-age=31536000, immutable',
        'content-type': MEDIA_TYPES[extname(name)] ?? 'application/octet-stream',
        'content-disposition': `${how}; filename*=UTF-8''${encodeURIComponent(name)}`,
        'x-content-type-options': 'nosniff',
      });
      if (request.headers['if-none-match']?.includes(etag)) return reply.code(304).send();
      const range = requestedRange(request, reply, object.bytes, etag);
      if (range) {
        reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${object.bytes}`);
      }
      reply.header('content-length', range ? range.end - range.start + 1 : object.bytes);
      if (request.method === 'HEAD') return reply.send();
      return reply.send(await store.openObject(sha256, range));
    },
  );
}

/** The one range that was asked for; undefined for the whole file, also where several were asked for. */
function requestedRange(
  request: FastifyRequest,
  reply: FastifyReply,
  bytes: number,
  etag: string,
): ByteRange | undefined {
  const condition = request.headers['if-range'];
  if (condition !== undefined && condition !== etag) return undefined;
  const match = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const [first, last] = [match[1], match[2]];
  // "-500" is the last 500 bytes.
  const start = first === '' ? Math.max(0, bytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1);
  if (start > end || start >= bytes) {
    reply.header('content-range', `bytes */${bytes}`);
    throw new PreviewError('range_not_satisfiable', `The file has ${bytes} bytes.`);
  }
  return { start, end };
}
