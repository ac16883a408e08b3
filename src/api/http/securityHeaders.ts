import type { FastifyInstance } from 'fastify';

/**
 * The headers that helmet would set with these options; a test compares them. They are constants here, because helmet would
 * build them for each request. Answers that are data get only the headers that matter for data (OWASP's REST security cheat
 * sheet): eleven headers took as long to write and to read as the rest of a short answer.
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

/** The headers that matter when a browser shows a page. */
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

/** Also sets the headers of pages, for the routes of this context. */
export const setPageHeaders = (app: FastifyInstance): void => setHeaders(app, PAGE_HEADERS);

function setHeaders(app: FastifyInstance, headers: Record<string, string>): void {
  app.addHook('onRequest', (_request, reply, done) => {
    // Fastify sends all headers in one list. A header set on the raw response would make Node.js check each of them.
    reply.headers(headers);
    done();
  });
}
