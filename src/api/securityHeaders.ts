import type { FastifyInstance } from 'fastify';

/**
 * What helmet sets where it is told what stands here; a test compares. It would make them anew for each request, and
 * they are always the same.
 */
const SECURITY_HEADERS: readonly (readonly [name: string, value: string])[] = [
  // Answers are data. Pages, as /docs, bring a policy of their own.
  ['Content-Security-Policy', "default-src 'none';frame-ancestors 'none'"],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  // Pages of other origins may show a video whose signed URL they were given.
  ['Cross-Origin-Resource-Policy', 'cross-origin'],
  ['Origin-Agent-Cluster', '?1'],
  ['Referrer-Policy', 'no-referrer'],
  // No Strict-Transport-Security: whether a host has TLS everywhere is for the proxy in front to say.
  ['X-Content-Type-Options', 'nosniff'],
  ['X-DNS-Prefetch-Control', 'off'],
  ['X-Download-Options', 'noopen'],
  ['X-Frame-Options', 'SAMEORIGIN'],
  ['X-Permitted-Cross-Domain-Policies', 'none'],
  ['X-XSS-Protection', '0'],
];

/** Sets them for every answer; a route may set others in their place. */
export function setSecurityHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (_request, { raw }, done) => {
    for (const [name, value] of SECURITY_HEADERS) raw.setHeader(name, value);
    done();
  });
}
