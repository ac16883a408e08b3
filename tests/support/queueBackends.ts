import { hasPostgres, startPostgres } from './postgres.ts';
import { hasRedis, openRedis } from './redis.ts';

export type QueueBackendName = 'embedded' | 'redis' | 'postgres';

/** For suites in which several processes share the queue. */
export const sharedBackends: readonly QueueBackendName[] = hasRedis() ? ['redis'] : [];

/** Those that are present; the suites in tests/integration/queue/conformance run on each, all others on one. */
export const queueBackends: readonly QueueBackendName[] = [
  'embedded',
  ...sharedBackends,
  ...(hasPostgres() ? (['postgres'] as const) : []),
];

/** For suites above the queue: Redis where it is installed, because it takes a tenth of the time to open. */
export const anyBackend: QueueBackendName = sharedBackends[0] ?? 'embedded';

/** An empty queue of the suite's own. `url` is what REDIS_URL is to be; the embedded queue has none. */
export async function startQueueBackend(
  name: QueueBackendName,
): Promise<{ url: string | undefined; stop(): Promise<void> }> {
  if (name === 'redis') return openRedis();
  if (name === 'postgres') return startPostgres();
  return { url: undefined, stop: async () => undefined };
}
