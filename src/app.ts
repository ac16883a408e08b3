import type { FastifyInstance } from 'fastify';
import type { RateLimits } from './api/http/rateLimits.ts';
import { buildApi } from './api/index.ts';
import { buildWorkerApi } from './api/workerApi.ts';
import type { ApiKey } from './apiKey.ts';
import { type Base, type CloseLater, collect, openRenderBase, type RenderBase, start } from './app/base.ts';
import { CONNECT_MS, createFetcher } from './app/renderParts.ts';
import { createEgressAgent } from './assets/egress.ts';
import { createLookup } from './assets/lookup.ts';
import { createTurns } from './concurrency/turns.ts';
import type { Config } from './config.ts';
import { PreviewError } from './errors.ts';
import type { Logger } from './logger.ts';
import type { QueueBackend } from './queue/queueBackend.ts';
import { createUrlSigner, type SigningKey } from './storage/signedUrls/signedUrl.ts';
import { loadOrCreateSigningKey } from './storage/signedUrls/signingKeys.ts';
import { packageVersion } from './version.ts';
import { checkHealth, type Health } from './worker/health.ts';
import { createPreviewWorker, type PreviewWorker } from './worker/previewWorker.ts';
import { createPlanner } from './worker/renderProcess/planner.ts';
import { createLiveJobs } from './worker/watch/liveJobs.ts';
import { createWebhookSender } from './worker/webhooks/webhookSender.ts';
import { createWebhookWorker, type WebhookSecrets } from './worker/webhooks/webhookWorker.ts';

/** What runs until it is stopped. */
export interface RunningApp {
  /** Where the API listens; of a worker alone, where it answers probes and metrics. */
  url?: string;
  /** Takes over the keys and secrets of a configuration that was read anew; the rest of it needs a restart. */
  reload(config: Config): void;
  /** Takes nothing new, ends what runs within the grace of the configuration, and closes everything. */
  stop(): Promise<void>;
}

const DEFAULT_REDIS_URL = 'redis://127.0.0.1:6379';
const WEBHOOK_MS = 15_000;
const COLLECT_MS = 6 * 3_600_000;

/** API and worker in one process; the queue is embedded unless REDIS_URL is set. */
export function startServe(config: Config, logger: Logger): Promise<RunningApp> {
  return start(async (closeLater) => {
    const base = await openRenderBase(config, logger, config.redisUrl, closeLater);
    const keyring = createKeyring(config);
    const worker = await startPreviewWorker(config, logger, base, keyring, closeLater);
    const api = await startListening(config, logger, base, keyring, closeLater, worker);
    // Both have the same grace, so they stop side by side.
    closeLater(async () => {
      await Promise.all([api.stop(), worker.stop()]);
    });
    return { url: api.url, reload: keyring.reload };
  });
}

/** The API alone; workers run elsewhere. */
export function startApi(config: Config, logger: Logger): Promise<RunningApp> {
  return start(async (closeLater) => {
    const base = await openRenderBase(config, logger, config.redisUrl ?? DEFAULT_REDIS_URL, closeLater);
    const keyring = createKeyring(config);
    const api = await startListening(config, logger, base, keyring, closeLater);
    closeLater(api.stop);
    return { url: api.url, reload: keyring.reload };
  });
}

/** A worker alone. */
export function startWorker(config: Config, logger: Logger): Promise<RunningApp> {
  return start(async (closeLater) => {
    const base = await openRenderBase(config, logger, config.redisUrl ?? DEFAULT_REDIS_URL, closeLater);
    const { workerHost: host, workerPort: port } = config;
    const keyring = createKeyring(config);
    const worker = await startPreviewWorker(config, logger, base, keyring, closeLater);
    const api = buildWorkerApi({ ...base, logger, health: healthOf(config, base, worker) });
    closeLater(() => api.close());
    const url = await listen(api, { host, port, names: ['PREVIEW_WORKER_HOST', 'PREVIEW_WORKER_PORT'] });
    // Until its last job is done it can be asked how it is.
    closeLater(() => worker.stop());
    logger.info({ queue: base.backend.kind, url }, 'waiting for jobs');
    return { url, reload: keyring.reload };
  });
}

/** The keys and secrets as they are now; everything that uses them asks each time. */
interface Keyring {
  apiKeys(): readonly ApiKey[];
  signingKeys(): readonly SigningKey[];
  webhookSecrets: Pick<WebhookSecrets, 'get' | 'has'>;
  reload(config: Config): void;
}

function createKeyring(config: Config): Keyring {
  let { apiKeys, signingKeys, webhookSecrets } = config;
  return {
    apiKeys: () => apiKeys,
    signingKeys: () => signingKeys,
    webhookSecrets: {
      get: (projectId) => webhookSecrets.get(projectId),
      has: (projectId) => webhookSecrets.has(projectId),
    },
    reload(next) {
      ({ apiKeys, signingKeys, webhookSecrets } = next);
    },
  };
}

async function startPreviewWorker(
  config: Config,
  logger: Logger,
  base: RenderBase,
  keyring: Keyring,
  closeLater: CloseLater,
): Promise<PreviewWorker> {
  const worker = createPreviewWorker({
    ...base,
    logger,
    queueName: config.queueName,
    concurrency: config.concurrency,
    jobTimeoutSeconds: config.jobTimeoutSeconds,
    shutdownGraceSeconds: config.shutdownGraceSeconds,
    assets: {
      fetcher: createFetcher(config),
      maxBytes: config.uploadMaxBytes,
      turns: createTurns(),
      formats: new Map(),
    },
  });
  await worker.start();
  closeLater(() => worker.stop());
  startWebhookWorker(config, logger, base, keyring, closeLater);
  if (config.retention && !config.storeUrl) collectRegularly(config, logger, base.backend, closeLater);
  return worker;
}

/** Tells of the jobs that ended, of whichever worker's. */
function startWebhookWorker(
  config: Config,
  logger: Logger,
  base: Base,
  keyring: Keyring,
  closeLater: CloseLater,
): void {
  const { webhookAllowPrivate: allowPrivate, webhookAllowHosts: allowHosts, denyHosts } = config;
  const agent = createEgressAgent(
    { allowPrivate, allowHosts, denyHosts },
    { connectMs: CONNECT_MS, idleMs: WEBHOOK_MS },
    createLookup(config.dnsServers),
  );
  closeLater(() => agent.destroy());
  const worker = createWebhookWorker({
    ...base,
    logger,
    queueName: config.queueName,
    secrets: keyring.webhookSecrets,
    send: createWebhookSender(agent, WEBHOOK_MS, `preview-worker/${packageVersion}`),
  });
  worker.start();
  closeLater(() => worker.stop());
}

const healthOf =
  ({ concurrency }: Config, base: Base, worker?: PreviewWorker): (() => Promise<Health>) =>
  () =>
    checkHealth({ ...base, ...(worker ? { worker: { activeJobs: worker.activeJobs, concurrency } } : {}) });

/** The store of a service that runs for months does not fill the disk; several workers may do it side by side. */
function collectRegularly(
  config: Config,
  logger: Logger,
  backend: QueueBackend,
  closeLater: CloseLater,
): void {
  const run = async (): Promise<void> => {
    try {
      const { objects } = await collect(config, backend, { dryRun: false });
      logger.info(objects.removed, 'garbage collected');
    } catch (error) {
      logger.warn({ err: error }, 'garbage could not be collected');
    }
  };
  const timer = setInterval(run, COLLECT_MS);
  closeLater(async () => clearInterval(timer));
}

async function startListening(
  config: Config,
  logger: Logger,
  base: RenderBase,
  keyring: Keyring,
  closeLater: CloseLater,
  worker?: PreviewWorker,
): Promise<{ url: string; stop(): Promise<void> }> {
  const { host, port, urlTtlSeconds, uploadMaxBytes, uploadQuotaBytes, trustedProxies } = config;
  const own = keyring.signingKeys().length > 0 ? [] : [await loadOrCreateSigningKey(config.dataDir)];
  const health = healthOf(config, base, worker);
  const live = createLiveJobs({ ...base, logger, health });
  closeLater(async () => live.close());
  const api = await buildApi({
    ...base,
    logger,
    live,
    plan: createPlanner({
      store: base.store,
      renderPool: base.renderPool,
      assets: { fetcher: createFetcher(config), maxBytes: uploadMaxBytes },
    }),
    signer: createUrlSigner({
      keys: () => (own.length > 0 ? own : keyring.signingKeys()),
      ttlSeconds: urlTtlSeconds,
    }),
    apiKeys: keyring.apiKeys,
    rates: ratesOf(config, base.backend),
    trustedProxies,
    webhookProjects: keyring.webhookSecrets,
    downloads: config.downloads,
    uploadMaxBytes,
    uploadQuotaBytes,
    corsOrigins: config.corsOrigins,
    queueName: config.queueName,
    health,
  });
  const url = await listen(api, { host, port, names: ['HOST', 'PORT'] });
  logger.info({ url, queue: base.backend.kind }, 'listening');
  return {
    url,
    async stop() {
      const late = setTimeout(() => api.server.closeAllConnections(), config.shutdownGraceSeconds * 1000);
      await api.close();
      clearTimeout(late);
    },
  };
}

/** Without keys the service is for this machine alone, and nobody is counted. */
function ratesOf(config: Config, { redis }: QueueBackend): RateLimits {
  const { apiKeys, ratePerKey: perKey, ratePerAddress, queueName: namespace } = config;
  return { perKey, perAddress: apiKeys.length > 0 ? ratePerAddress : 0, redis, namespace };
}

/** Where to listen, and how the settings are called that say so. */
interface Place {
  host: string;
  port: number;
  names: [host: string, port: string];
}

/** @throws PreviewError `config_invalid` where that address cannot be had */
function listen(api: FastifyInstance, place: Place): Promise<string> {
  return api.listen({ host: place.host, port: place.port }).catch((error: unknown) => {
    throw explainListenError(error, place);
  });
}

function explainListenError(error: unknown, { host, port, names: [hostName, portName] }: Place): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const problems: Record<string, string> = {
    EADDRINUSE: `${portName} ${port} is in use; stop what listens there, or set ${portName} to another one (0 takes a free one).`,
    EACCES: `${portName} ${port} may not be opened by this user; set ${portName} to one above 1023.`,
    EADDRNOTAVAIL: `${hostName} ${host} is no address of this machine; set ${hostName} to one that is.`,
    ENOTFOUND: `${hostName} ${host} is not known; set ${hostName} to an address of this machine.`,
  };
  const problem = problems[String(code)];
  return problem === undefined ? error : new PreviewError('config_invalid', problem, { cause: error });
}
