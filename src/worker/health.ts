import type { QueueBackend } from '../queue/queueBackend.ts';
import type { ArtifactStore } from '../storage/artifactStore.ts';
import { workerName } from './previewWorker.ts';
import type { PreviewWorkerClient } from './previewWorkerClient.ts';

export interface Check {
  name: 'queue' | 'store' | 'wedge';
  ok: boolean;
  /** What is wrong and what to do, in words. */
  message: string;
}

export interface Health {
  status: 'ok' | 'down';
  queue: { connected: boolean; latencyMs: number | null; counts: Record<string, number> };
  /** Those that the queue knows, and the one of this process, which alone tells how busy it is. */
  workers: { name: string; activeJobs?: number; concurrency?: number }[];
  checks: Check[];
}

/** Looks at everything that a job needs. `worker` is the one of this process, where there is one. */
export async function checkHealth(parts: {
  backend: QueueBackend;
  client: PreviewWorkerClient;
  store: ArtifactStore;
  worker?: { activeJobs(): number; concurrency: number };
}): Promise<Health> {
  const { backend, client, store, worker } = parts;
  const [latencyMs, metrics, names, written] = await Promise.all([
    backend.ping().catch(() => null),
    client.queueMetrics().catch(() => null),
    client.workers().catch(() => []),
    store.check().then(
      () => true,
      () => false,
    ),
  ]);
  const wedged = Boolean(worker && metrics && metrics.oldestWaitingAgeSeconds > 30 && !metrics.counts.active);
  const checks: Check[] = [
    check(
      'queue',
      latencyMs !== null,
      'answers',
      'The queue does not answer; see that it runs and that REDIS_URL is right.',
    ),
    check(
      'store',
      written,
      'can be written',
      'The store cannot be written; see that DATA_DIR exists and the disk has room.',
    ),
    check('wedge', !wedged, 'jobs are being taken', 'Jobs wait and none is taken; restart the worker.'),
  ];
  return {
    status: checks.every(({ ok }) => ok) ? 'ok' : 'down',
    queue: { connected: latencyMs !== null, latencyMs, counts: metrics?.counts ?? {} },
    workers: [
      ...(worker
        ? [{ name: workerName(), activeJobs: worker.activeJobs(), concurrency: worker.concurrency }]
        : []),
      ...names.filter((name) => !worker || name !== workerName()).map((name) => ({ name })),
    ],
    checks,
  };
}

const check = (name: Check['name'], ok: boolean, good: string, bad: string): Check => ({
  name,
  ok,
  message: ok ? good : bad,
});
