import { extname } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { PreviewError } from '../../errors.ts';
import { moveFragments } from '../../media/mp4/moveFragments.ts';
import type { ArtifactStore, ByteRange } from '../../storage/artifactStore.ts';
import type { UrlSigner } from '../../storage/signedUrls/signedUrl.ts';
import { problemResponses } from '../http/problemSchema.ts';
import { downloadSchema } from './fileSchemas.ts';

const MEDIA_TYPES: Record<string, string> = {
  '.mp4': 'video/mp4',
  '.webm': 'video/webm',
  '.m4s': 'video/iso.segment',
  '.m4a': 'audio/mp4',
  '.jpg': 'image/jpeg',
  '.vtt': 'text/vtt; charset=utf-8',
  '.srt': 'application/x-subrip; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
};

/** An address never changes its bytes. */
const FOR_EVER = 'private, max-age=31536000, immutable';

/**
 * A segment is stored without its position, so that any preview can use it. Its name has the position in this preview, in
 * units of its timescale.
 */
const FRAGMENT_NAME = /^(\d{1,15})\.m4s$/;

interface Download {
  Params: { sha256: string; name: string };
  Querystring: Record<string, unknown>;
}

/** Whether a download passes through this process, or the client is redirected to the store. */
export type Downloads = 'proxy' | 'redirect';

/** Downloads by signed URL, with ranges (RFC 9110, 14) and immutable caching: an address never changes its bytes. */
export function artifactRoutes(
  app: FastifyInstance,
  { store, signer, downloads }: { store: ArtifactStore; signer: UrlSigner; downloads: Downloads },
): void {
  app.route<Download>({
    method: ['GET', 'HEAD'],
    url: '/artifacts/:sha256/:name',
    // Any mistake in the query is answered like a wrong signature.
    validatorCompiler: () => () => true,
    schema: {
      tags: ['artifacts'],
      summary: 'Download a file by its signed URL',
      ...downloadSchema,
      response: { ...downloadSchema.response, ...problemResponses(403, 404, 416) },
    },
    handler: async (request, reply) => {
      const { method, headers, query } = request;
      const { sha256, name } = request.params;
      if (!signer.verify({ sha256, name, query })) throw new PreviewError('invalid_signature');
      const object = await store.statObject(sha256);
      if (!object) throw new PreviewError('artifact_not_found');

      const etag = FRAGMENT_NAME.test(name) ? `"${sha256}-${name}"` : `"${sha256}"`;
      const fresh = matchesEtag(headers['if-none-match'], etag);
      const rangeApplies = headers['if-range'] === undefined || headers['if-range'] === etag;
      // Ranges are defined for GET only, and a 304 comes before them (RFC 9110, 13.2.2 and 14.2).
      const asked =
        method === 'GET' && !fresh && rangeApplies ? parseRange(headers.range, object.bytes) : 'all';
      if (asked === 'unsatisfiable') {
        reply.header('content-range', `bytes */${object.bytes}`);
        throw new PreviewError('range_not_satisfiable', `The file has ${object.bytes} bytes.`);
      }

      const shown = query.disposition === 'attachment' ? 'attachment' : 'inline';
      const disposition = contentDisposition(shown, name);
      const mediaType = MEDIA_TYPES[extname(name)] ?? 'application/octet-stream';
      const time = FRAGMENT_NAME.exec(name)?.[1];
      if (downloads === 'redirect' && store.presign && method === 'GET' && !fresh && time === undefined) {
        const as = { seconds: secondsUntil(query.expires), mediaType, disposition, cacheControl: FOR_EVER };
        return reply.header('cache-control', 'no-store').redirect(await store.presign(sha256, as), 302);
      }
      reply.headers({
        etag,
        'accept-ranges': 'bytes',
        'cache-control': FOR_EVER,
        'content-type': mediaType,
        'content-disposition': disposition,
      });
      if (fresh) return reply.code(304).send();
      const range = asked === 'all' ? undefined : asked;
      if (range) {
        reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${object.bytes}`);
      }
      reply.header('content-length', range ? range.end - range.start + 1 : object.bytes);
      if (method === 'HEAD') return reply.send();
      if (time === undefined) return reply.send(await store.openObject(sha256, range));
      const moved = Buffer.from(moveFragments(await store.readObject(sha256), Number(time)).buffer);
      return reply.send(range ? moved.subarray(range.start, range.end + 1) : moved);
    },
  });
}

/**
 * How a client is to call the file (RFC 6266): in ASCII, without what has a meaning there or in a path, and in full as RFC
 * 8187 encodes it. encodeURIComponent leaves four characters that the RFC does not allow.
 */
export function contentDisposition(disposition: 'inline' | 'attachment', name: string): string {
  const ascii = name.replace(/[^ -~]|["\\/%]/g, '_');
  const encoded = encodeURIComponent(Buffer.from(name).toString()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${disposition}; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

/** The seconds until a signed URL expires, at most seven days: the address it redirects to must not be valid for longer. */
const secondsUntil = (expires: unknown): number =>
  Math.min(604_800, Math.max(1, Math.floor(Number(expires) - Date.now() / 1000)));

/** `If-None-Match` compares weakly: `W/` in front makes no difference (RFC 9110, 13.1.2). */
function matchesEtag(header: string | undefined, etag: string): boolean {
  const tags = header?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? [];
  return tags.includes('*') || tags.includes(etag);
}

/**
 * The requested range in a file of `bytes`. Without `Range`, with several ranges, or with a form that is not understood, it
 * is the whole file: a server may ignore the header (RFC 9110, 14.2).
 */
export function parseRange(header: string | undefined, bytes: number): ByteRange | 'all' | 'unsatisfiable' {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return 'all';
  if (first !== '' && last !== '' && Number(first) > Number(last)) return 'all';
  // "-500" is the last 500 bytes.
  const start = first === '' ? Math.max(0, bytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1);
  return start > end ? 'unsatisfiable' : { start, end };
}
