import type { FastifyInstance } from 'fastify';

/**
 * What helmet sets where it is told what stands here; a test compares. It would make them anew for each request, and they
 * are always the same. For data those that say something of data (OWASP's REST security cheat sheet): eleven headers took as
 * long to write and to read as all else of a short answer.
 */
const DATA_HEADERS = {
  // Pages, as /docs, bring a policy of their own.
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  // Pages of other origins may show a video whose signed URL they were given.
  'cross-origin-resource-policy': 'cross-origin',
  'referrer-policy': 'no-referrer',
  // No strict-transport-security: whether a host has TLS everywhere is for the proxy in front to say.
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
};

/** What a browser goes by when it shows a page. */
const PAGE_HEADERS = {
  'cross-origin-opener-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'x-dns-prefetch-control': 'off',
  'x-download-options': 'noopen',
  'x-permitted-cross-domain-policies': 'none',
  'x-xss-protection': '0',
};

/** Sets the headers of data for every answer; a route may set others in their place. */
export const setSecurityHeaders = (app: FastifyInstance): void => setHeaders(app, DATA_HEADERS);

/** Sets those of pages besides, for the routes of this context. */
export const setPageHeaders = (app: FastifyInstance): void => setHeaders(app, PAGE_HEADERS);

function setHeaders(app: FastifyInstance, headers: Record<string, string>): void {
  app.addHook('onRequest', (_request, reply, done) => {
    // All headers go out in one list; one that is set on the response itself would make Node.js look at each by itself.
    reply.headers(headers);
    done();
  });
}
