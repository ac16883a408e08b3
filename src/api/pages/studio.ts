import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { PreviewError } from '../../errors.ts';

/** Beside the API in a build, and below `dist` for what runs from its sources. */
const FOLDERS = ['../../studio/', '../../../dist/studio/'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

/** Addresses of the page; which of its views is shown is decided in the browser. */
const PAGES = ['/', '/jobs', '/jobs/:jobId', '/queue'];

/**
 * Nothing inline, and nothing from another host. The player hands its video to the browser as a `blob:`, and the editor does
 * the same with a picture that was just dropped.
 */
const POLICY = [
  "default-src 'self'",
  "img-src 'self' blob:",
  "media-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * The studio: a page of static files that uses the public API. Its scripts, styles and media have a hash in their names, so
 * browsers cache them for ever. The page itself is requested each time.
 */
export async function serveStudio(app: FastifyInstance): Promise<void> {
  const folder = FOLDERS.find((path) => existsSync(`${path}index.html`));
  const page = folder && (await readFile(`${folder}index.html`, 'utf8'));
  if (folder) {
    await app.register(fastifyStatic, {
      root: `${folder}assets/`,
      prefix: '/studio/assets/',
      schemaHide: true,
      decorateReply: false,
      index: false,
      preCompressed: true,
      immutable: true,
      maxAge: '1y',
    });
  }
  for (const url of PAGES) {
    app.get(url, { schema: { hide: true } }, async (_request, reply) => {
      if (page === undefined) throw new PreviewError('not_found', NOT_BUILT);
      return reply
        .headers({
          'cache-control': 'no-cache',
          'content-security-policy': POLICY,
          'referrer-policy': 'no-referrer',
        })
        .type('text/html; charset=utf-8')
        .send(page);
    });
  }
}

const NOT_BUILT = 'The studio is not built. Run "npm run build", and start the service again.';
