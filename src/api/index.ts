import { randomUUID } from 'node:crypto';
import helmet from '@fastify/helmet';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { ApiKey } from '../config.ts';
import { PreviewError } from '../errors.ts';
import { parseJson } from '../job/parseJson.ts';
import type { Logger } from '../logger.ts';
import type { ArtifactStore } from '../storage/artifactStore.ts';
import type { UrlSigner } from '../storage/signedUrl.ts';
import type { Health } from '../worker/health.ts';
import type { PreviewMetrics } from '../worker/previewMetrics.ts';
import type { PreviewWorkerClient } from '../worker/previewWorkerClient.ts';
import { artifactRoutes } from './artifacts.ts';
import { assetRoutes } from './assets.ts';
import { createAuthorize } from './auth.ts';
import { jobRoutes } from './jobs.ts';
import { operationRoutes } from './operations.ts';
import { handleErrors } from './problem.ts';

export interface ApiParts {
  client: PreviewWorkerClient;
  store: ArtifactStore;
  signer: UrlSigner;
  metrics: PreviewMetrics;
  logger: Logger;
  apiKeys: readonly ApiKey[];
  uploadMaxBytes: number;
  health(): Promise<Health>;
}

/** Largest job, in bytes: 500 steps with words, and a few data: assets. */
const BODY_LIMIT = 8 * 1024 * 1024;

/** Builds the HTTP server; it does not listen yet. */
export async function buildApi(parts: ApiParts): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: parts.logger as FastifyBaseLogger,
    bodyLimit: BODY_LIMIT,
    genReqId: (request) => requestId(request.headers['x-request-id']),
    // Our own hook logs an answer, with its route instead of its address.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    // A job's id may be as long as 128 characters.
    routerOptions: { maxParamLength: 200 },
  });
  const authorize = createAuthorize(parts.apiKeys);
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    const parsed = parseJson(String(body));
    if (parsed.ok) return done(null, parsed.value);
    const { line, column, expected } = parsed;
    const place = `line ${line}, column ${column}`;
    return done(new PreviewError('invalid_json', `Not valid JSON: ${expected} was expected at ${place}.`));
  });
  handleErrors(app);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    const labels = { method: request.method, route, status: reply.statusCode };
    parts.metrics.httpDuration.observe(labels, reply.elapsedTime / 1000);
    request.log.debug({ ...labels, ms: Math.round(reply.elapsedTime) }, 'request answered');
  });
  await app.register(helmet, {
    // /docs brings a policy of its own (swagger-ui's staticCSP).
    contentSecurityPolicy: false,
    crossOriginResourcePolicy: { policy: 'cross-origin' },
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Preview Worker', description: 'A job goes in, a video comes out.', version: '0.1.0' },
      components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
      ...(parts.apiKeys.length > 0 ? { security: [{ apiKey: [] }] } : {}),
    },
  });
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());

  await app.register(async (scope) => {
    jobRoutes(scope, { ...parts, authorize });
    artifactRoutes(scope, parts);
    assetRoutes(scope, { store: parts.store, authorize, maxBytes: parts.uploadMaxBytes });
    operationRoutes(scope, { ...parts, authorize });
  });
  return app;
}

/** The caller's request id where it is one, else a new one. */
function requestId(header: string | string[] | undefined): string {
  return typeof header === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(header) ? header : randomUUID();
}
