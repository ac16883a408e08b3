import type { FastifyInstance } from 'fastify';

/**
 * What helmet sets where it is told what stands here; a test compares. It would make them anew for each request, and
 * they are always the same.
 */
const SECURITY_HEADERS = {
  // Answers are data. Pages, as /docs, bring a policy of their own.
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  // Pages of other origins may show a video whose signed URL they were given.
  'cross-origin-resource-policy': 'cross-origin',
  'origin-agent-cluster': '?1',
  'referrer-policy': 'no-referrer',
  // No strict-transport-security: whether a host has TLS everywhere is for the proxy in front to say.
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-download-options': 'noopen',
  'x-frame-options': 'SAMEORIGIN',
  'x-permitted-cross-domain-policies': 'none',
  'x-xss-protection': '0',
};

/** Sets them for every answer; a route may set others in their place. */
export function setSecurityHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (_request, reply, done) => {
    // All headers go out in one list; one that is set on the response itself would make Node.js look at each by itself.
    reply.headers(SECURITY_HEADERS);
    done();
  });
}
