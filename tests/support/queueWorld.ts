import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AssetSources } from '../../src/assets/resolveAssets.ts';
import type { PreviewJob } from '../../src/job/previewJob.types.ts';
import { createLogger, type Logger } from '../../src/logger.ts';
import { createJobEvents, type JobEvents } from '../../src/queue/events/jobEvents.ts';
import { openQueueBackend, type QueueBackend } from '../../src/queue/queueBackend.ts';
import type { ArtifactStore } from '../../src/storage/artifactStore.ts';
import { createFsStore } from '../../src/storage/folder/fsStore.ts';
import { noTracing } from '../../src/tracing.ts';
import { createDeadLetters, type DeadLetterOffice } from '../../src/worker/deadLetters/deadLetters.ts';
import { createPreviewMetrics, type PreviewMetrics } from '../../src/worker/previewMetrics.ts';
import { createPreviewWorker, type PreviewWorker } from '../../src/worker/previewWorker.ts';
import {
  createPreviewWorkerClient,
  type JobStatus,
  type PreviewWorkerClient,
} from '../../src/worker/previewWorkerClient.ts';
import { createRenderPool } from '../../src/worker/renderProcess/renderProcess.ts';
import {
  createRenderSandbox,
  type RenderSandbox,
} from '../../src/worker/renderProcess/sandbox/renderSandbox.ts';
import { eventually } from './eventually.ts';
import { placeDatabase } from './placeDatabase.ts';
import { processFile } from './processes.ts';
import { smallJob } from './smallJob.ts';
import { suiteLog } from './suiteLog.ts';

export const QUEUE_NAME = 'preview-jobs';

/** Renders as the job tells, see fakeRenderChild.ts; not confined, as it writes down how often it was begun. */
export const fakeRenders = (): { entry: URL; sandbox: RenderSandbox } => ({
  entry: pathToFileURL(processFile('fakeRenderChild')),
  sandbox: createRenderSandbox(undefined, { isBuilt: false }),
});

/** Client and worker on a real queue and a real store; the renderer is a fake one, unless the worker is given another. */
export interface QueueWorld {
  dataDir: string;
  backend: QueueBackend;
  store: ArtifactStore;
  events: JobEvents;
  client: PreviewWorkerClient;
  deadLetters: DeadLetterOffice;
  metrics: PreviewMetrics;
  startWorker(options?: WorkerSettings): Promise<PreviewWorker>;
  /** Waits for a job to have that status. */
  reaches(jobId: string, status: JobStatus['status'], seconds?: number): Promise<JobStatus>;
  /** How many attempts at a job a render child has begun. */
  begun(jobId: string): Promise<number>;
  /** Lets an attempt of the word `until told` go on. */
  tell(jobId: string): Promise<void>;
  close(): Promise<void>;
  /** Removes the folder, where `keep` was asked for. */
  remove(): Promise<void>;
}

export interface WorkerSettings {
  concurrency?: number;
  jobTimeoutSeconds?: number;
  shutdownGraceSeconds?: number;
  /** How it renders: as {@link fakeRenders} do, or `{}`: as the service does. */
  renders?: Parameters<typeof createRenderPool>[1];
  /** How it fetches assets; without one it fetches none. */
  fetcher?: AssetSources['fetcher'];
}

export interface WorldSettings {
  queueMax?: number;
  projectQueueMax?: number;
  /** The pause after the first attempt at a job; by default a second, as in the service. */
  firstPauseMs?: number;
  /** Another world's folder; without one the world has its own, and removes it. */
  dataDir?: string;
  /** Another world's, which closes it; the queue is emptied. */
  backend?: QueueBackend;
  keep?: boolean;
  logger?: Logger;
}

export async function openQueueWorld(
  url: string | undefined,
  {
    queueMax = 20,
    projectQueueMax = queueMax,
    firstPauseMs,
    dataDir,
    backend: given,
    keep = false,
    logger = createLogger('trace', { destination: suiteLog('queue-world') }),
  }: WorldSettings = {},
): Promise<QueueWorld> {
  const folder = dataDir ?? (await mkdtemp(join(tmpdir(), 'preview-queue-')));
  const storeFolder = join(folder, 'store');
  if (given) await emptied(given);
  else if (!url && !dataDir) await placeDatabase(folder);
  const backend = given ?? (await openQueueBackend({ url, dataDir: folder, logger }));
  const events = createJobEvents(backend, QUEUE_NAME);
  const store = events.telling(await createFsStore(storeFolder));
  const client = createPreviewWorkerClient({
    backend,
    queueName: QUEUE_NAME,
    store,
    queueMax,
    projectQueueMax,
    firstPauseMs,
  });
  const deadLetters = createDeadLetters({ backend, queueName: QUEUE_NAME, store, client });
  const metrics = createPreviewMetrics();
  const stops: (() => Promise<void>)[] = [];
  return {
    dataDir: folder,
    backend,
    store,
    events,
    client,
    deadLetters,
    metrics,
    async startWorker({
      concurrency = 2,
      jobTimeoutSeconds = 30,
      shutdownGraceSeconds = 0,
      renders = fakeRenders(),
      fetcher,
    } = {}) {
      const renderPool = createRenderPool(storeFolder, renders);
      const worker = createPreviewWorker({
        ...{
          tracing: noTracing,
          events,
          backend,
          store,
          deadLetters,
          metrics,
          logger,
          renderPool,
          queueName: QUEUE_NAME,
        },
        ...{ concurrency, jobTimeoutSeconds, shutdownGraceSeconds },
        assets: { maxBytes: 1000, ...(fetcher ? { fetcher } : {}) },
      });
      await worker.start();
      stops.push(async () => {
        await worker.stop();
        await renderPool.close();
      });
      return worker;
    },
    reaches: (jobId, status, seconds) =>
      eventually(
        async () => {
          const now = await client.status({ projectId: 'tests', jobId });
          return now.status === status ? now : undefined;
        },
        `status ${status} of ${jobId}`,
        seconds,
      ),
    begun: (jobId) =>
      stat(join(storeFolder, `begun-tests-${jobId}`)).then(
        ({ size }) => size,
        () => 0,
      ),
    tell: (jobId) => writeFile(join(storeFolder, `go-tests-${jobId}`), ''),
    async close() {
      for (const stop of stops) await stop();
      await client.close();
      await deadLetters.close();
      await events.close();
      if (!given) await backend.close();
      if (dataDir === undefined && !keep) await rm(folder, { recursive: true, force: true });
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function emptied(backend: QueueBackend): Promise<void> {
  const queue = backend.queue(QUEUE_NAME);
  await queue.obliterate({ force: true });
  await queue.close();
}

/** A job whose attempts go as they are told, see fakeRenderChild.ts. */
export function toldJob(jobId: string, attempts: string[] = [], rest: Partial<PreviewJob> = {}): PreviewJob {
  return smallJob(jobId, { metadata: { attempts } }, rest);
}
