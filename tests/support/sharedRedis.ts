import { hasRedis, IN_MEMORY, startRedis } from './redis.ts';

/** Runs around the whole suite: one Redis of which each test gets a database of its own, see openRedis. */
export default async function setup(): Promise<() => Promise<unknown>> {
  const redis = hasRedis() ? await startRedis(IN_MEMORY) : undefined;
  process.env.TEST_REDIS_URL = redis?.url ?? '';
  return async () => redis?.stop();
}
