import type { FastifyInstance } from 'fastify';
import { noTracing, type Span, type Tracing } from '../../tracing.ts';
import type { PreviewMetrics } from '../../worker/previewMetrics.ts';

declare module 'fastify' {
  interface FastifyRequest {
    span: Span;
  }
}

/** Every answer carries its request's id, and is counted and logged by its route. */
export function reportRequests(app: FastifyInstance, metrics: PreviewMetrics): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    const labels = { method: request.method, route, status: reply.statusCode };
    const { elapsedTime } = reply;
    metrics.httpDuration.observe(labels, elapsedTime / 1000);
    if (app.log.level === 'debug' || app.log.level === 'trace')
      request.log.debug({ ...labels, ms: Math.round(elapsedTime) }, 'request answered');
    done();
  });
}

/** Machines call these every few seconds; their traces would bury the others. */
const UNTRACED = ['/livez', '/readyz', '/metrics'];

/** A span for each request, in the caller's trace where it names one. */
export function traceRequests(app: FastifyInstance, tracing: Tracing): void {
  if (tracing === noTracing) {
    const span = noTracing.start('', { kind: 'server' });
    app.decorateRequest('span', { getter: () => span });
    return;
  }
  app.decorateRequest('span');
  app.addHook('onRequest', (request, _reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    const { traceparent } = request.headers;
    request.span = (UNTRACED.includes(route) ? noTracing : tracing).start(`${request.method} ${route}`, {
      kind: 'server',
      parent: typeof traceparent === 'string' ? traceparent : undefined,
      attributes: { 'http.request.method': request.method, 'http.route': route },
    });
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const status = reply.statusCode;
    request.span.set({ 'http.response.status_code': status, 'preview.http_request_id': request.id });
    request.span.end(status >= 500 ? { error: `answered with ${status}` } : {});
    done();
  });
}
