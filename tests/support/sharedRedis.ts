import { hasRedis, IN_MEMORY, startRedis } from './redis.ts';

/** As many as processes of tests run at the same time, see maxWorkers in vitest.config.ts. */
export const MOST_WORKERS = 6;

/** Runs around the whole suite: a Redis for each process of tests, see openRedis. */
export default async function setup(): Promise<() => Promise<unknown>> {
  const servers = hasRedis()
    ? await Promise.all(Array.from({ length: MOST_WORKERS }, () => startRedis(IN_MEMORY)))
    : [];
  process.env.TEST_REDIS_URLS = servers.map(({ url }) => url).join(' ');
  return () => Promise.all(servers.map(({ stop }) => stop()));
}
