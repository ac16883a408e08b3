import { singleFlight } from '../../concurrency/sharedCalls.ts';
import type { Logger } from '../../logger.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';
import type { PreviewMetrics } from '../previewMetrics.ts';
import type { PreviewWorkerClient, QueueMetrics } from '../previewWorkerClient.ts';

/** What was seen of the queue at one moment. */
export interface QueueSample extends QueueMetrics {
  /** Names of the workers that the queue knows. */
  workers: string[];
  /** For how long jobs have been ready to be taken while none ran; 0 where that is not so. */
  standstillSeconds: number;
}

/** Looks at the queue in an interval, so that a scrape or a probe never has to. */
export interface QueueWatch {
  /** Undefined where the queue did not answer the last time, or was not asked yet. */
  latest(): QueueSample | undefined;
  close(): Promise<void>;
}

/** However many ask for metrics, the queue is counted once in this time. */
const SAMPLE_MS = 5000;

/** Starts watching; the first sample is taken before it returns. */
export async function createQueueWatch(options: {
  client: Pick<PreviewWorkerClient, 'queueMetrics' | 'workers'>;
  store: Pick<ArtifactStore, 'capacity'>;
  metrics: PreviewMetrics;
  logger: Logger;
  everyMs?: number;
}): Promise<QueueWatch> {
  const { client, store, metrics, logger, everyMs = SAMPLE_MS } = options;
  let sample: QueueSample | undefined;
  let stillSince: number | undefined;

  const look = async (): Promise<QueueSample> => {
    const [queue, workers] = await Promise.all([client.queueMetrics(), client.workers()]);
    stillSince = standsStill(queue) ? (stillSince ?? Date.now()) : undefined;
    const standstillSeconds = stillSince === undefined ? 0 : (Date.now() - stillSince) / 1000;
    return { ...queue, workers, standstillSeconds };
  };
  const refresh = singleFlight(async (): Promise<void> => {
    sample = await look().catch((error: unknown) => {
      logger.debug({ err: error }, 'the queue could not be counted');
      return undefined;
    });
    showQueue(metrics, sample);
    // Who cannot say how much room there is says nothing; that the store works is for the health check to find.
    showCapacity(metrics, await store.capacity().catch(() => undefined));
  });

  let refreshing = refresh();
  await refreshing;
  const timer = setInterval(() => {
    refreshing = refresh();
  }, everyMs).unref();
  return {
    latest: () => sample,
    async close() {
      clearInterval(timer);
      await refreshing;
    },
  };
}

/** Jobs could be taken, and none is being worked on. A job that waits for its next attempt cannot be taken yet. */
function standsStill({ counts }: QueueMetrics): boolean {
  return (counts.waiting ?? 0) + (counts.prioritized ?? 0) > 0 && !counts.active;
}

/** Where the queue does not answer, an old number would be a lie: there is none then. */
function showQueue(metrics: PreviewMetrics, sample: QueueSample | undefined): void {
  metrics.queueUp.set(sample ? 1 : 0);
  metrics.queueJobs.reset();
  for (const [state, count] of Object.entries(sample?.counts ?? {})) metrics.queueJobs.set({ state }, count);
  metrics.oldestWaiting.set(sample?.oldestWaitingAgeSeconds ?? Number.NaN);
  metrics.queueLimit.set(sample?.limit ?? Number.NaN);
  metrics.workers.set(sample?.workers.length ?? Number.NaN);
  metrics.deadLetters.set(sample?.deadLetters ?? Number.NaN);
}

function showCapacity(
  metrics: PreviewMetrics,
  capacity: { freeBytes: number; totalBytes: number } | undefined,
): void {
  metrics.storeBytes.reset();
  if (!capacity) return;
  metrics.storeBytes.set({ kind: 'free' }, capacity.freeBytes);
  metrics.storeBytes.set({ kind: 'total' }, capacity.totalBytes);
}
