import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { type Service, smallJob, startService } from '../../support/service.ts';

const BOARD = '/admin/queues';
const DOCS = 'docs-key-0123456789abcdef';
const SHOP = 'shop-key-0123456789abcdef';
const READER = 'read-key-0123456789abcdef';
const basic = (key: string) => ({ authorization: `Basic ${Buffer.from(`me:${key}`).toString('base64')}` });

interface Shown {
  queues: { name: string; counts: Record<string, number>; jobs: { id: string }[] }[];
}

describe('Bull Board', () => {
  let service: Service;

  beforeAll(async () => {
    service = await startService({
      PREVIEW_API_KEYS: `docs:${DOCS},shop:${SHOP},docs/read+submit:${READER}`,
    });
    const asset = { id: 'p', type: 'image' as const, upload: 'a'.repeat(64) };
    const dead = { steps: [{ asset: 'p' }], assets: [asset] };
    for (const [key, job] of [
      [DOCS, smallJob('mine', {}, { projectId: 'docs', dryRun: true })],
      [DOCS, smallJob('dead', dead, { projectId: 'docs' })],
      [SHOP, smallJob('theirs', {}, { projectId: 'shop', dryRun: true })],
    ] as const) {
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
      await fetch(`${service.url}/api/preview/job`, { method: 'POST', headers, body: JSON.stringify(job) });
    }
  });
  afterAll(async () => {
    await service.stop();
  });

  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(service.url + BOARD + path, { headers });
  const shown = async (key: string, name: string, status: string): Promise<Shown['queues'][number]> => {
    const answer = await get(`/api/queues?activeQueue=${name}&status=${status}&page=1`, basic(key));
    const { queues } = (await answer.json()) as Shown;
    const found = queues.find((each) => each.name === name);
    if (!found) throw new Error(`no queue ${name}`);
    return found;
  };

  it('asks a browser for the key, and lets those in who may operate', async () => {
    for (const headers of [{}, basic(`${DOCS}x`), { authorization: 'Basic !' }] as Record<string, string>[]) {
      const answer = await get('', headers);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm=/);
    }
    expect((await get('', basic(READER))).status).toBe(403);
    const page = await get('', basic(DOCS));
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(await page.text()).not.toContain('https://');
    expect((await get('', { authorization: `Bearer ${DOCS}` })).status).toBe(200);
  });

  it('takes the key in this way nowhere else', async () => {
    const answer = await fetch(`${service.url}/api/preview/jobs`, { headers: basic(DOCS) });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('shows jobs and dead letters of the project of the key, and nothing of another', async () => {
    await eventually(
      async () => (await shown(SHOP, 'preview-jobs', 'completed')).jobs.length || undefined,
      'the job of the shop',
    );
    await eventually(
      async () => (await shown(DOCS, 'preview-jobs-dead', 'waiting')).jobs.length || undefined,
      'the dead letter',
    );
    // The letter is there before the queue gives the job up.
    await eventually(
      async () => (await shown(DOCS, 'preview-jobs', 'completed')).counts.failed || undefined,
      'the failed job',
    );
    const { jobs, counts } = await shown(DOCS, 'preview-jobs', 'completed');
    expect(jobs.map(({ id }) => id)).toEqual(['docs~mine']);
    expect(counts).toMatchObject({ completed: 1, failed: 1 });
    expect((await shown(SHOP, 'preview-jobs-dead', 'waiting')).jobs).toEqual([]);
    expect((await shown(DOCS, 'preview-jobs-webhooks', 'completed')).jobs).toEqual([]);
    expect((await get('/api/queues/preview-jobs/docs~mine', basic(DOCS))).status).toBe(200);
    expect((await get('/api/queues/preview-jobs/shop~theirs', basic(DOCS))).status).toBe(404);
  });

  it('changes nothing', async () => {
    for (const [method, path] of [
      ['PUT', '/api/queues/preview-jobs/pause'],
      ['PUT', '/api/queues/preview-jobs/docs~mine/clean'],
      ['POST', '/api/queues/preview-jobs/add'],
    ] as const) {
      const answer = await fetch(service.url + BOARD + path, { method, headers: basic(DOCS) });
      expect(answer.status).toBe(403);
    }
  });
});

it('is open without keys, on loopback', async () => {
  const service = await startService();
  expect((await fetch(`${service.url}${BOARD}`)).status).toBe(200);
  await service.stop();
});
