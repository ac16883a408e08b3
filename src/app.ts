import { join } from 'node:path';
import { buildApi } from './api/index.ts';
import { createEgressAgent } from './assets/egress.ts';
import { type AssetFetcher, createAssetFetcher } from './assets/fetchAsset.ts';
import type { Config } from './config.ts';
import type { Logger } from './logger.ts';
import { openQueueBackend, type QueueBackend } from './queue/queueBackend.ts';
import type { ArtifactStore } from './storage/artifactStore.ts';
import { createFsStore } from './storage/fsStore.ts';
import { createUrlSigner } from './storage/signedUrl.ts';
import { loadOrCreateSigningKey } from './storage/signingKeys.ts';
import { checkHealth } from './worker/health.ts';
import { createPreviewMetrics, type PreviewMetrics } from './worker/previewMetrics.ts';
import { createPreviewWorker, type PreviewWorker } from './worker/previewWorker.ts';
import { createPreviewWorkerClient, type PreviewWorkerClient } from './worker/previewWorkerClient.ts';
import { createRenderPool, type RenderPool } from './worker/renderProcess.ts';

/** What runs until it is stopped. */
export interface RunningApp {
  /** Where the API listens; a worker alone listens nowhere. */
  url?: string;
  stop(): Promise<void>;
}

const DEFAULT_REDIS_URL = 'redis://127.0.0.1:6379';
const CONNECT_MS = 10_000;
const IDLE_MS = 15_000;
const FETCH_MS = 60_000;

/** API and worker in one process; the queue is embedded unless REDIS_URL is set. */
export async function startServe(config: Config, logger: Logger): Promise<RunningApp> {
  const base = await openBase(config, logger, config.redisUrl);
  const { worker, pool } = createWorker(config, logger, base);
  await worker.start();
  const api = await startListening(config, logger, base, { ...worker, concurrency: config.concurrency });
  return {
    url: api.url,
    async stop() {
      await api.stop();
      await worker.stop();
      await pool.close();
      await base.close();
    },
  };
}

/** The API alone; workers run elsewhere. */
export async function startApi(config: Config, logger: Logger): Promise<RunningApp> {
  const base = await openBase(config, logger, config.redisUrl ?? DEFAULT_REDIS_URL);
  const api = await startListening(config, logger, base);
  return {
    url: api.url,
    async stop() {
      await api.stop();
      await base.close();
    },
  };
}

/** A worker alone. */
export async function startWorker(config: Config, logger: Logger): Promise<RunningApp> {
  const base = await openBase(config, logger, config.redisUrl ?? DEFAULT_REDIS_URL);
  const { worker, pool } = createWorker(config, logger, base);
  await worker.start();
  return {
    async stop() {
      await worker.stop();
      await pool.close();
      await base.close();
    },
  };
}

/** What stands below both the API and the worker. */
interface Base {
  backend: QueueBackend;
  store: ArtifactStore;
  client: PreviewWorkerClient;
  metrics: PreviewMetrics;
  close(): Promise<void>;
}

async function openBase(config: Config, logger: Logger, url: string | undefined): Promise<Base> {
  const store = await createFsStore(storeFolder(config));
  const backend = await openQueueBackend({ url, dataDir: config.dataDir, logger });
  const { queueName, queueMax } = config;
  const client = createPreviewWorkerClient({ backend, queueName, store, queueMax });
  return {
    backend,
    store,
    client,
    metrics: createPreviewMetrics(),
    async close() {
      await client.close();
      await backend.close();
    },
  };
}

/** The folder of the file system store. */
export const storeFolder = (config: Config): string => join(config.dataDir, 'store');

/** Fetches assets by URL, from public addresses and those that the configuration opens. */
export function createFetcher(config: Config): AssetFetcher {
  const agent = createEgressAgent(
    { allowPrivate: config.assetAllowPrivate },
    { connectMs: CONNECT_MS, idleMs: IDLE_MS },
  );
  return createAssetFetcher(agent, FETCH_MS);
}

function createWorker(
  config: Config,
  logger: Logger,
  base: Base,
): { worker: PreviewWorker; pool: RenderPool } {
  const pool = createRenderPool(storeFolder(config));
  const worker = createPreviewWorker({
    ...base,
    logger,
    renderPool: pool,
    queueName: config.queueName,
    concurrency: config.concurrency,
    jobTimeoutSeconds: config.jobTimeoutSeconds,
    shutdownGraceSeconds: config.shutdownGraceSeconds,
    assets: { fetcher: createFetcher(config), maxBytes: config.uploadMaxBytes },
  });
  return { worker, pool };
}

async function startListening(
  config: Config,
  logger: Logger,
  base: Base,
  worker?: { activeJobs(): number; concurrency: number },
): Promise<{ url: string; stop(): Promise<void> }> {
  const keys =
    config.signingKeys.length > 0 ? config.signingKeys : [await loadOrCreateSigningKey(config.dataDir)];
  const api = await buildApi({
    ...base,
    logger,
    signer: createUrlSigner({ keys, ttlSeconds: config.urlTtlSeconds }),
    apiKeys: config.apiKeys,
    uploadMaxBytes: config.uploadMaxBytes,
    health: () => checkHealth({ ...base, ...(worker ? { worker } : {}) }),
  });
  const url = await api.listen({ host: config.host, port: config.port });
  logger.info({ url, queue: base.backend.kind }, 'listening');
  return { url, stop: () => api.close() };
}
