import { hasPostgres, startPostgres } from './postgres.ts';
import { hasRedis, startRedis } from './redis.ts';

export type QueueBackendName = 'embedded' | 'redis' | 'postgres';

/** The queue backends that several processes can use, of those that are present. */
export const sharedBackends: readonly QueueBackendName[] = [
  ...(hasRedis() ? (['redis'] as const) : []),
  ...(hasPostgres() ? (['postgres'] as const) : []),
];

/** The queue backends that are present: what the queue promises holds on each. */
export const queueBackends: readonly QueueBackendName[] = ['embedded', ...sharedBackends];

/** An empty queue of the suite's own. `url` is what REDIS_URL is to be; the embedded queue has none. */
export async function startQueueBackend(
  name: QueueBackendName,
): Promise<{ url: string | undefined; stop(): Promise<void> }> {
  if (name === 'redis') return startRedis();
  if (name === 'postgres') return startPostgres();
  return { url: undefined, stop: async () => undefined };
}
