import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, openCluster } from '../support/cluster.ts';
import { hasRedis, startRedis } from '../support/redis.ts';
import { type Service, startService } from '../support/service.ts';

const DOCS = 'docs-key-0123456789abcdef';
const SHOP = 'shop-key-0123456789abcdef';
const KEYS = { PREVIEW_API_KEYS: `docs:${DOCS},shop:${SHOP}` };

const call = (url: string, key: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${url}/api/preview/queue/metrics`, { headers: { authorization: `Bearer ${key}`, ...headers } });

/** The statuses of several calls, one after the other. */
async function statuses(count: number, one: (index: number) => Promise<Response>): Promise<number[]> {
  const seen: number[] = [];
  for (let index = 0; index < count; index++) {
    const response = await one(index);
    await response.body?.cancel();
    seen.push(response.status);
  }
  return seen;
}

// Each test starts a service of its own, which makes a database.
describe('who calls too often', { timeout: 120_000 }, () => {
  let service: Service | undefined;

  afterEach(() => service?.stop());

  test('with one key is told to wait, and other keys are not', async () => {
    service = await startService({ ...KEYS, PREVIEW_RATE_PER_KEY: '5' });
    const { url } = service;
    expect(await statuses(5, () => call(url, DOCS))).toEqual([200, 200, 200, 200, 200]);
    const refused = await call(url, DOCS);
    expect(refused.status).toBe(429);
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(await refused.json()).toMatchObject({
      code: 'rate_limited',
      detail: expect.stringContaining('5 calls'),
    });
    expect((await call(url, SHOP)).status).toBe(200);
  });

  test('from one address is told to wait whatever key it tries, also for downloads and what is not there', async () => {
    service = await startService({ ...KEYS, PREVIEW_RATE_PER_ADDRESS: '6' });
    const { url } = service;
    expect(await statuses(4, (index) => call(url, `guess-${index}-0123456789`))).toEqual([
      401, 401, 401, 401,
    ]);
    expect(await statuses(3, () => fetch(`${url}/artifacts/${'a'.repeat(64)}/x.mp4`))).toEqual([
      403, 403, 429,
    ]);
    expect((await call(url, DOCS)).status).toBe(429);
    expect((await fetch(`${url}/nothing`)).status).toBe(429);
    // Whoever watches over the service still sees it.
    for (const probe of ['/livez', '/readyz', '/metrics'])
      expect((await fetch(url + probe)).status, probe).toBe(200);
  });

  test('cannot hide behind X-Forwarded-For, unless the proxy that says it is trusted', async () => {
    const caller = (index: number) => ({ 'x-forwarded-for': `203.0.113.${index}` });
    service = await startService({ ...KEYS, PREVIEW_RATE_PER_ADDRESS: '2' });
    const { url } = service;
    expect(await statuses(3, (index) => call(url, DOCS, caller(index)))).toEqual([200, 200, 429]);
    await service.stop();
    service = undefined;
    service = await startService({
      ...KEYS,
      PREVIEW_RATE_PER_ADDRESS: '2',
      PREVIEW_TRUSTED_PROXIES: '127.0.0.0/8',
    });
    const behind = service.url;
    expect(await statuses(3, (index) => call(behind, DOCS, caller(index)))).toEqual([200, 200, 200]);
    expect(await statuses(3, () => call(behind, DOCS, caller(9)))).toEqual([200, 200, 429]);
    // What the caller itself wrote stands on the left of what the proxy adds, and counts for nothing.
    const forged = (index: number) => ({ 'x-forwarded-for': `198.51.100.${index}, 203.0.113.9` });
    expect(await statuses(2, (index) => call(behind, DOCS, forged(index)))).toEqual([429, 429]);
  });

  test('is not counted where there are no keys: the service is then for its own machine', async () => {
    service = await startService({ PREVIEW_RATE_PER_ADDRESS: '1', PREVIEW_RATE_PER_KEY: '1' });
    const { url } = service;
    expect(await statuses(3, () => fetch(`${url}/api/preview/queue/metrics`))).toEqual([200, 200, 200]);
  });
});

describe.runIf(hasRedis())('processes that share a Redis', { timeout: 120_000 }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await openCluster();
  });

  afterAll(() => cluster.stop());

  test('count together', async () => {
    const env = { ...KEYS, PREVIEW_RATE_PER_KEY: '4' };
    const [one, other] = await Promise.all([cluster.start('api', env), cluster.start('api', env)]);
    const urls = [one.url, other.url];
    const seen = await statuses(6, (index) => call(urls[index % 2] ?? '', DOCS));
    expect(seen).toEqual([200, 200, 200, 200, 429, 429]);
  });

  test('refuse nobody for it while Redis is away, and keep nobody waiting', async () => {
    const redis = await startRedis();
    const service = await startService({ ...KEYS, REDIS_URL: redis.url, PREVIEW_RATE_PER_KEY: '3' });
    try {
      const status = () =>
        fetch(`${service.url}/api/assets`, { headers: { authorization: `Bearer ${DOCS}` } });
      expect(await statuses(4, status)).toEqual([200, 200, 200, 429]);
      await redis.kill();
      const started = performance.now();
      expect(await statuses(6, status)).toEqual([200, 200, 200, 200, 200, 200]);
      expect(performance.now() - started).toBeLessThan(10_000);
    } finally {
      await service.stop();
      await redis.stop();
    }
  });
});
