import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { PreviewError } from '../../errors.ts';
import { parseJson } from '../../job/parseJson.ts';

/** The caller's request id if it is a valid one, else a new one. */
export function requestId(header: string | string[] | undefined): string {
  return typeof header === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(header) ? header : randomUUID();
}

/** Refuses requests without a host (RFC 9112, 3.2), and compressed bodies: a small body must not become a large one. */
export function checkHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', ({ headers, raw }, _reply, done) => {
    if (headers.host === undefined && raw.httpVersion !== '1.0')
      throw new PreviewError('invalid_request', 'Send a Host header.');
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
      const message = 'Send the body uncompressed, without a Content-Encoding.';
      throw new PreviewError('unsupported_media_type', message);
    }
    done();
  });
}

/** Accepts only JSON, and parses it so that the answer to a mistake names its line and column. */
export function readJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    const parsed = parseJson(String(body));
    if (parsed.ok) return done(null, parsed.value);
    const { line, column, expected } = parsed;
    const place = `${expected} was expected at line ${line}, column ${column}`;
    done(new PreviewError('invalid_json', `The body is not valid JSON: ${place}.`));
  });
}
