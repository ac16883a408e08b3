import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { type Service, smallJob, startService } from '../../support/service.ts';

const url = '/api/preview/dead-letter';

/** A job that can never succeed: its picture was never uploaded. */
const doomed = (jobId: string, projectId = 'tests') =>
  smallJob(
    jobId,
    { steps: [{ asset: 'p' }], assets: [{ id: 'p', type: 'image', upload: 'a'.repeat(64) }] },
    { projectId },
  );

describe('the dead letters over HTTP', () => {
  let service: Service;

  beforeAll(async () => {
    service = await startService();
  });

  afterAll(() => service.stop());

  const die = async (jobId: string): Promise<void> => {
    expect(await service.post('/api/preview/job', doomed(jobId))).toMatchObject({ status: 202 });
    await service.ended(jobId);
  };

  test('are listed without what was sent, and shown with it', async () => {
    await die('listed');
    const { body } = await service.get(url);
    expect(body).toMatchObject({
      total: 1,
      deadLetters: [
        {
          projectId: 'tests',
          jobId: 'listed',
          error: { code: 'asset_missing' },
          place: { stage: 'assets', asset: 'p', step: 0 },
        },
      ],
    });
    const shown = await service.get(`${url}/listed`);
    expect(shown).toMatchObject({ status: 200, body: { job: doomed('listed') } });
    expect(shown.body.attempts).toHaveLength(1);
    expect(await service.get(`${url}?limit=0`)).toMatchObject({ status: 400 });
    // The queue is counted every few seconds, not by each scrape.
    await eventually(async () => {
      const { text } = (await service.get('/metrics')).body;
      return String(text).includes('preview_worker_dead_letters 1') || undefined;
    }, 'the dead letter in the metrics');
  });

  test('are replayed with 202 and the links of a new job', async () => {
    await die('again');
    const replayed = await service.post(`${url}/again/replay`, '{}');
    expect(replayed).toMatchObject({ status: 202, body: { jobId: 'again', status: 'queued' } });
    expect(replayed.headers.get('location')).toBe('/api/preview/job/again/status?projectId=tests');
    await service.ended('again');
  });

  test('are discarded, and unknown afterwards', async () => {
    await die('unwanted');
    expect((await service.cancel(`${url}/unwanted`)).status).toBe(204);
    for (const answer of [await service.get(`${url}/unwanted`), await service.cancel(`${url}/unwanted`)]) {
      expect(answer).toMatchObject({ status: 404, body: { code: 'dead_letter_not_found' } });
    }
    expect(await service.get('/api/preview/job/unwanted/status')).toMatchObject({
      body: { status: 'failed' },
    });
  });
});

test('a key sees the dead letters of its project only', async () => {
  const keys = { docs: 'docs-key-0123456789abcdef', shop: 'shop-key-0123456789abcdef' };
  const service = await startService({ PREVIEW_API_KEYS: `docs:${keys.docs},shop:${keys.shop}` });
  try {
    const as = (project: keyof typeof keys) => ({ authorization: `Bearer ${keys[project]}` });
    await fetch(`${service.url}/api/preview/job`, {
      method: 'POST',
      headers: { ...as('docs'), 'content-type': 'application/json' },
      body: JSON.stringify(doomed('theirs', 'docs')),
    });
    await expect
      .poll(async () => (await service.get(url, as('docs'))).body, { timeout: 10_000 })
      .toMatchObject({ total: 1, deadLetters: [{ jobId: 'theirs' }] });
    expect((await service.get(`${url}?projectId=docs`, as('shop'))).body).toEqual({
      total: 0,
      deadLetters: [],
    });
    expect((await service.get(`${url}/theirs?projectId=docs`, as('shop'))).status).toBe(404);
    expect((await service.get(url)).status).toBe(401);
  } finally {
    await service.stop();
  }
});
