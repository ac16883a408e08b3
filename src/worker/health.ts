import { asPreviewError } from '../errors.ts';
import type { QueueBackend } from '../queue/queueBackend.ts';
import type { ArtifactStore } from '../storage/artifactStore.ts';
import type { QueueSample, QueueWatch } from './watch/queueWatch.ts';
import { workerName } from './workerName.ts';

export interface Check {
  name: 'queue' | 'store' | 'workers' | 'wedge';
  ok: boolean;
  /** What is wrong and what to do, in words. */
  message: string;
}

export interface Health {
  status: 'ok' | 'down';
  /** The counts are a few seconds old at most. */
  queue: { connected: boolean; latencyMs: number | null; counts: Record<string, number> };
  /** Those that the queue knows, and the one of this process, which alone tells how busy it is. */
  workers: { name: string; activeJobs?: number; concurrency?: number }[];
  checks: Check[];
}

/** A busy worker takes the next job within milliseconds. */
const STANDSTILL_SECONDS = 30;

/**
 * Looks at everything that a job needs.
 * @param parts.worker the one of this process, where there is one
 * @param parts.mostStandstillSeconds for how long jobs may wait while none runs
 */
export async function checkHealth(parts: {
  backend: Pick<QueueBackend, 'ping'>;
  store: Pick<ArtifactStore, 'check'>;
  watch: Pick<QueueWatch, 'latest'>;
  worker?: { activeJobs(): number; concurrency: number };
  mostStandstillSeconds?: number;
}): Promise<Health> {
  const { backend, store, watch, worker, mostStandstillSeconds = STANDSTILL_SECONDS } = parts;
  const [latencyMs, storeFailure] = await Promise.all([
    backend.ping().catch(() => null),
    store.check().then(
      () => undefined,
      (thrown: unknown) => asPreviewError(thrown, 'store_unavailable').message,
    ),
  ]);
  const sample = latencyMs === null ? undefined : watch.latest();
  const others = (sample?.workers ?? []).filter((name) => !worker || name !== workerName());
  const workers = [
    ...(worker
      ? [{ name: workerName(), activeJobs: worker.activeJobs(), concurrency: worker.concurrency }]
      : []),
    ...others.map((name) => ({ name })),
  ];
  const checks: Check[] = [
    check(
      'queue',
      latencyMs !== null,
      'can be written',
      'The queue takes nothing in; see that it runs, that REDIS_URL is right, and that it is neither full nor a replica.',
    ),
    check('store', storeFailure === undefined, 'can be written', storeFailure ?? ''),
    ...(sample ? checkProgress(sample, workers.length, mostStandstillSeconds) : []),
  ];
  return {
    status: checks.every(({ ok }) => ok) ? 'ok' : 'down',
    queue: { connected: latencyMs !== null, latencyMs, counts: sample?.counts ?? {} },
    workers,
    checks,
  };
}

/** Whether jobs could be taken here: what else is wrong with the service is no reason to send a caller elsewhere. */
export function isReady({ checks }: Health): boolean {
  return checks.every(({ name, ok }) => ok || (name !== 'queue' && name !== 'store'));
}

/** Nothing throws when workers are there and none of them takes a job; only the queue shows it. */
function checkProgress(sample: QueueSample, workers: number, mostSeconds: number): Check[] {
  const waiting = `Jobs wait (${sample.waiting})`;
  const stands = sample.standstillSeconds >= mostSeconds;
  return [
    check(
      'workers',
      workers > 0 || sample.waiting === 0,
      workers > 0 ? `${workers} connected` : 'none is connected, and none is needed yet',
      `${waiting} and no worker is connected to the queue; start one with the same REDIS_URL and PREVIEW_QUEUE_NAME.`,
    ),
    check(
      'wedge',
      !stands || workers === 0,
      'jobs are being taken',
      `${waiting} and none has been taken for ${Math.round(sample.standstillSeconds)} s, though ${workers} workers are connected; their logs and /readyz say whether they can use the store. Restart those that say nothing.`,
    ),
  ];
}

const check = (name: Check['name'], ok: boolean, good: string, bad: string): Check => ({
  name,
  ok,
  message: ok ? good : bad,
});
