import { hasRedis, startRedis } from './redis.ts';

/** The queue backends that are present; a suite that touches the queue runs on each. */
export const queueBackends = ['embedded', ...(hasRedis() ? (['redis'] as const) : [])] as const;
export type QueueBackendName = (typeof queueBackends)[number];

/** What REDIS_URL is to be for a backend; the embedded one has none. */
export async function startQueueBackend(
  name: QueueBackendName,
): Promise<{ url: string | undefined; stop(): Promise<void> }> {
  return name === 'redis' ? startRedis() : { url: undefined, stop: async () => undefined };
}
