import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { Logger } from '../logger.ts';
import type { Health } from '../worker/health.ts';
import type { PreviewMetrics } from '../worker/previewMetrics.ts';
import { handleErrors } from './http/problem.ts';
import { healthRoute, probeRoutes } from './operators/probes.ts';

/** The server of a worker without an API: probes, metrics and health, but no calls about jobs. */
export function buildWorkerApi(parts: {
  metrics: PreviewMetrics;
  logger: Logger;
  health(): Promise<Health>;
}): FastifyInstance {
  const app = Fastify({
    loggerInstance: parts.logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
  });
  handleErrors(app);
  probeRoutes(app, parts);
  healthRoute(app, parts);
  return app;
}
