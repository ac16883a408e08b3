import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { ApiKey } from '../apiKey.ts';
import type { Logger } from '../logger.ts';
import type { JobEvents } from '../queue/events/jobEvents.ts';
import type { QueueBackend } from '../queue/queueBackend.ts';
import type { ArtifactStore } from '../storage/artifactStore.ts';
import type { UrlSigner } from '../storage/signedUrls/signedUrl.ts';
import type { Tracing } from '../tracing.ts';
import type { DeadLetters } from '../worker/deadLetters/deadLetters.ts';
import type { Health } from '../worker/health.ts';
import type { PreviewMetrics } from '../worker/previewMetrics.ts';
import type { PreviewWorkerClient } from '../worker/previewWorkerClient.ts';
import type { Planner } from '../worker/renderProcess/planner.ts';
import type { LiveJobs } from '../worker/watch/liveJobs.ts';
import type { Webhooks } from '../worker/webhooks/webhooks.ts';
import { artifactRoutes, type Downloads } from './files/artifacts.ts';
import { assetRoutes } from './files/assets.ts';
import { requireApiKey } from './http/auth.ts';
import { allowOrigins } from './http/cors.ts';
import { answerWithProblem, handleErrors } from './http/problem.ts';
import { limitRates, type RateLimits } from './http/rateLimits.ts';
import { requestLogger } from './http/requestLogger.ts';
import { reportRequests, traceRequests } from './http/requestReports.ts';
import { checkHeaders, readJson, requestId } from './http/requests.ts';
import { setPageHeaders, setSecurityHeaders } from './http/securityHeaders.ts';
import {
  answerClientError,
  CHECK_MS,
  cutOffSlowClients,
  HEADERS_MS,
  REQUEST_MS,
} from './http/slowClients.ts';
import { deliveryRoutes } from './jobs/deliveries.ts';
import { jobDetailRoutes } from './jobs/jobDetails.ts';
import { jobListRoutes } from './jobs/jobList.ts';
import { jobRoutes, type WebhookProjects } from './jobs/jobs.ts';
import { createKnownJobs } from './jobs/knownJobs.ts';
import { bullBoardRoutes } from './operators/bullBoard.ts';
import { deadLetterRoutes } from './operators/deadLetters.ts';
import { healthRoute, probeRoutes } from './operators/probes.ts';
import { queueRoutes } from './operators/queue.ts';
import { accessRoute } from './pages/access.ts';
import { documentApi } from './pages/docs.ts';
import { serveStudio } from './pages/studio.ts';
import { eventRoutes } from './streams/events.ts';
import { liveJobRoutes } from './streams/liveJobs.ts';
import { streamRoutes } from './streams/stream.ts';

export interface ApiParts {
  client: PreviewWorkerClient;
  deadLetters: DeadLetters;
  webhooks: Webhooks;
  /** The projects whose webhooks can be signed. */
  webhookProjects: WebhookProjects;
  store: ArtifactStore;
  signer: UrlSigner;
  metrics: PreviewMetrics;
  tracing: Tracing;
  logger: Logger;
  /** If empty, calls need no key. */
  apiKeys: () => readonly ApiKey[];
  rates: RateLimits;
  /** Networks of proxies whose `X-Forwarded-For` is believed. */
  trustedProxies: readonly string[];
  downloads: Downloads;
  uploadMaxBytes: number;
  uploadQuotaBytes: number;
  backend: QueueBackend;
  queueName: string;
  /** Origins whose pages may call from a browser. */
  corsOrigins: readonly string[];
  plan: Planner;
  live: LiveJobs;
  events: JobEvents;
  health(): Promise<Health>;
}

/** Largest job, in bytes: 500 steps with all their words, and a few `data:` assets. */
const BODY_LIMIT = 8 * 1024 * 1024;

/** Builds the HTTP server; it does not listen yet. */
export async function buildApi(parts: ApiParts): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: parts.logger as FastifyBaseLogger,
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_MS,
    // Node.js would answer a request without a host with an empty 400.
    http: { headersTimeout: HEADERS_MS, connectionsCheckingInterval: CHECK_MS, requireHostHeader: false },
    clientErrorHandler: answerClientError,
    trustProxy: parts.trustedProxies.length > 0 ? [...parts.trustedProxies] : false,
    genReqId: (request) => requestId(request.headers['x-request-id']),
    // Our own hook logs an answer, with its route instead of its address.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    // A job's id may be as long as 128 characters.
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: answerWithProblem,
    childLoggerFactory: requestLogger,
  });
  handleErrors(app);
  readJson(app);
  reportRequests(app, parts.metrics);
  traceRequests(app, parts.tracing);
  cutOffSlowClients(app);
  await allowOrigins(app, parts.corsOrigins);
  const countCall = await limitRates(app, parts.rates);
  checkHeaders(app);
  setSecurityHeaders(app);
  await documentApi(app, { hasKeys: parts.apiKeys().length > 0 });

  await app.register(async (open) => {
    probeRoutes(open, parts);
    artifactRoutes(open, parts);
  });
  await app.register(async (pages) => {
    setPageHeaders(pages);
    await serveStudio(pages);
  });
  await app.register(async (guarded) => {
    requireApiKey(guarded, { keys: parts.apiKeys, countCall });
    accessRoute(guarded, parts);
    const known = createKnownJobs(parts.client);
    jobRoutes(guarded, { ...parts, known });
    jobListRoutes(guarded, parts);
    liveJobRoutes(guarded, parts);
    jobDetailRoutes(guarded, parts);
    assetRoutes(guarded, parts);
    queueRoutes(guarded, parts);
    streamRoutes(guarded, { ...parts, known });
    eventRoutes(guarded, parts);
    healthRoute(guarded, parts);
    deadLetterRoutes(guarded, parts);
    deliveryRoutes(guarded, parts);
  });
  await app.register(async (page) => {
    setPageHeaders(page);
    requireApiKey(page, { keys: parts.apiKeys, countCall, page: { scope: 'operate' } });
    await bullBoardRoutes(page, parts);
  });
  return app;
}
