import type { Config } from '../config.ts';
import { PreviewError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { createJobEvents, type JobEvents } from '../queue/events/jobEvents.ts';
import { openQueueBackend, type QueueBackend } from '../queue/queueBackend.ts';
import type { ArtifactStore } from '../storage/artifactStore.ts';
import { openStore } from '../storage/openStore.ts';
import { longestLifeSeconds } from '../storage/signedUrls/signedUrl.ts';
import { type CollectionReport, collectGarbage } from '../storage/upkeep/collectGarbage.ts';
import { createTracing, noTracing, type Tracing } from '../tracing.ts';
import { packageVersion } from '../version.ts';
import {
  createDeadLetters,
  type DeadLetterOffice,
  type DeadLetters,
} from '../worker/deadLetters/deadLetters.ts';
import { findNeeded } from '../worker/neededByQueue.ts';
import { createPreviewMetrics, type PreviewMetrics } from '../worker/previewMetrics.ts';
import { createPreviewWorkerClient, type PreviewWorkerClient } from '../worker/previewWorkerClient.ts';
import { createRenderPool, type RenderPool } from '../worker/renderProcess/renderProcess.ts';
import { createQueueWatch, type QueueWatch } from '../worker/watch/queueWatch.ts';
import { announcing, createWebhooks, type Webhooks } from '../worker/webhooks/webhooks.ts';
import { localStoreFolder, openSandbox, storeFolder } from './renderParts.ts';

/** Takes what is to be closed at the end. */
export type CloseLater = (close: () => Promise<void>) => void;

/** Opens part after part; what was opened is closed in reverse order on stop, and also where a later part fails. */
export async function start<Opened extends object>(
  open: (closeLater: CloseLater) => Promise<Opened>,
): Promise<Opened & { stop(): Promise<void> }> {
  const closers: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return { ...(await open((close) => closers.push(close))), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What stands below both the API and the worker. */
export interface Base {
  backend: QueueBackend;
  store: ArtifactStore;
  events: JobEvents;
  client: PreviewWorkerClient;
  deadLetters: DeadLetterOffice;
  webhooks: Webhooks;
  metrics: PreviewMetrics;
  watch: QueueWatch;
  tracing: Tracing;
}

/** The same with the means to render. */
export interface RenderBase extends Base {
  renderPool: RenderPool;
}

async function openBase(
  config: Config,
  logger: Logger,
  url: string | undefined,
  closeLater: CloseLater,
): Promise<Base> {
  const { dataDir, queueName, queueMax } = config;
  const plainStore = await openStore({ s3: config.storeUrl, folder: storeFolder(config) });
  const backend = await openQueueBackend({ url, dataDir, logger });
  closeLater(() => backend.close());
  const webhooks = createWebhooks({ backend, queueName });
  closeLater(() => webhooks.close());
  const events = createJobEvents(backend, queueName);
  closeLater(() => events.close());
  const store = events.telling(announcing(plainStore, webhooks));
  const client = createPreviewWorkerClient({
    ...{ backend, queueName, store, queueMax },
    projectQueueMax: projectQueueMax(config),
  });
  closeLater(() => client.close());
  const metrics = createPreviewMetrics();
  const watch = await createQueueWatch({ client, store, metrics, logger });
  closeLater(() => watch.close());
  const tracing = config.otlpEndpoint ? await createTracing(config.otlpEndpoint, packageVersion) : noTracing;
  closeLater(() => tracing.close());
  const deadLetters = createDeadLetters({ backend, queueName, store, client });
  closeLater(() => deadLetters.close());
  return { backend, store, events, client, deadLetters, webhooks, metrics, watch, tracing };
}

/** Opens what an API and a worker have in common. */
export async function openRenderBase(...opened: Parameters<typeof openBase>): Promise<RenderBase> {
  const [config, logger, , closeLater] = opened;
  const base = await openBase(...opened);
  const sandbox = openSandbox(config);
  const { missing } = sandbox;
  if (missing.length > 0)
    logger.warn({ missing }, 'render processes run with less protection than they could');
  // Render children open the folder of a file system store themselves; a store in a network is used on their behalf.
  const place = config.storeUrl ? base.store : storeFolder(config);
  const renderPool = createRenderPool(place, { fontsFolder: config.fontsDir, sandbox });
  closeLater(() => renderPool.close());
  return { ...base, renderPool };
}

/** What the command line needs of the queue and the store; nothing is served and nothing is rendered. */
export interface Operations {
  deadLetters: DeadLetters;
  /** @throws PreviewError `config_invalid` where nothing is said about how long things are kept */
  collectGarbage(options: { dryRun: boolean }): Promise<CollectionReport>;
  stop(): Promise<void>;
}

/** The queue is the one of the service: embedded unless REDIS_URL is set. @throws PreviewError `embedded_queue_locked` */
export function openOperations(config: Config, logger: Logger): Promise<Operations> {
  return start(async (closeLater) => {
    const { deadLetters, backend } = await openBase(config, logger, config.redisUrl, closeLater);
    return { deadLetters, collectGarbage: (options) => collect(config, backend, options) };
  });
}

/** Bytes outlive their record by the longest of what may still need them: renders, signed URLs, and an hour. */
export async function collect(
  config: Config,
  backend: QueueBackend,
  { dryRun }: { dryRun: boolean },
): Promise<CollectionReport> {
  const { retention, jobTimeoutSeconds, urlTtlSeconds, queueName } = config;
  const folder = localStoreFolder(config);
  if (!retention) {
    const message =
      'PREVIEW_RETENTION_DAYS is not set, so everything is kept; set it to days, for example 30.';
    throw new PreviewError('config_invalid', message);
  }
  const leaseMs = 1000 * Math.max(3600, 2 * jobTimeoutSeconds, longestLifeSeconds(urlTtlSeconds));
  const needed = await findNeeded(backend, queueName);
  return collectGarbage(folder, { retention, leaseMs, dryRun, ...needed });
}

/** One project may fill the queue only where there is no other one. */
function projectQueueMax({ projectQueueMax, queueMax, apiKeys }: Config): number {
  const projects = new Set(apiKeys.map(({ projectId }) => projectId));
  return projectQueueMax ?? (projects.size > 1 ? Math.ceil(queueMax / 2) : queueMax);
}
