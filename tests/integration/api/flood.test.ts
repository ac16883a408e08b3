import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, openCluster } from '../../support/cluster.ts';
import { hasRedis } from '../../support/redis.ts';
import { smallJob } from '../../support/service.ts';

const KEYS = { flood: 'flood-key-0123456789abcdef', quiet: 'quiet-key-0123456789abcdef' };

describe.skipIf(!hasRedis())('two API processes with keys of two projects, and no worker', () => {
  let cluster: Cluster;
  let urls: string[];

  beforeAll(async () => {
    cluster = await openCluster();
    const env = {
      PREVIEW_API_KEYS: `flood:${KEYS.flood},quiet:${KEYS.quiet}`,
      PREVIEW_QUEUE_MAX: '20',
    };
    urls = (await Promise.all([cluster.start('api', env), cluster.start('api', env)])).map(({ url }) => url);
  });

  afterAll(() => cluster.stop());

  const post = async (projectId: keyof typeof KEYS, i: number) => {
    const response = await fetch(`${urls[i % 2]}/api/preview/job`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${KEYS[projectId]}` },
      body: JSON.stringify(smallJob(`${projectId}-${i}`, {}, { projectId })),
    });
    return { response, body: (await response.json()) as Record<string, unknown> };
  };

  test('one that floods gets half of the queue, and is told when to come again; the other has room', async () => {
    const flood = await Promise.all(Array.from({ length: 60 }, (_, i) => post('flood', i)));
    // Both processes may let in somebody for the last place.
    const accepted = flood.filter(({ response }) => response.status === 202).length;
    expect(accepted).toBeGreaterThanOrEqual(10);
    expect(accepted).toBeLessThanOrEqual(12);
    const refused = flood.filter(({ response }) => response.status !== 202);
    for (const { response, body } of refused) {
      expect(response.status).toBe(429);
      expect(response.headers.get('content-type')).toContain('application/problem+json');
      // Ten to twelve wait, and nothing is known of the pace but what is believed: a quarter of them takes five or six seconds.
      expect(response.headers.get('retry-after')).toMatch(/^[56]$/);
      expect(body).toMatchObject({ code: 'queue_full', detail: expect.stringContaining('"flood"') });
    }
    const quiet = await Promise.all(Array.from({ length: 8 }, (_, i) => post('quiet', i)));
    expect(quiet.map(({ response }) => response.status)).toEqual(Array(8).fill(202));
  });
});
