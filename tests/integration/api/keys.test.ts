import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Service, smallJob, startService } from '../../support/service.ts';

const DOCS = 'docs-key-0123456789abcdef';
const SHOP = 'shop-key-0123456789abcdef';

describe('a service with API keys', () => {
  let service: Service;

  beforeAll(async () => {
    service = await startService({ PREVIEW_API_KEYS: `docs:${DOCS},shop:${SHOP}` });
  });

  afterAll(() => service.stop());

  async function call(method: string, path: string, key?: string, body?: unknown) {
    const response = await fetch(service.url + path, {
      method,
      headers: {
        ...(key ? { authorization: `Bearer ${key}` } : {}),
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return { response, body: await response.json() };
  }

  test.each([
    ['POST', '/api/preview/job'],
    ['GET', '/api/preview/job/a/status'],
    ['GET', '/api/preview/job/a/artifact'],
    ['GET', '/api/preview/job/a/deliveries'],
    ['DELETE', '/api/preview/job/a'],
    ['GET', '/api/preview/queue/metrics'],
    ['GET', '/api/preview/worker/health'],
    ['POST', '/api/assets'],
  ])('lets nobody call %s %s without a key, or with a wrong one', async (method, path) => {
    for (const key of [undefined, `${DOCS}x`, DOCS.slice(1), '']) {
      const { response, body } = await call(method, path, key);
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      expect(body).toMatchObject({ code: 'unauthorized' });
    }
  });

  test.each(['/livez', '/readyz', '/openapi.json'])('answers %s to everyone', async (path) => {
    expect((await service.get(path)).status).toBe(200);
  });

  test('takes a job of the project of the key, and links to it without naming the project', async () => {
    const { response, body } = await call('POST', '/api/preview/job', DOCS, inProject('docs', 'mine'));
    expect(response.status).toBe(202);
    expect(body.links.status).toBe('/api/preview/job/mine/status');
  });

  test('refuses a job of another project with 403', async () => {
    const { response, body } = await call('POST', '/api/preview/job', DOCS, inProject('shop', 'theirs'));
    expect(response.status).toBe(403);
    expect(body).toMatchObject({ code: 'forbidden', detail: expect.stringContaining('"docs"') });
  });

  test('says of jobs of other projects that they do not exist, even where the query names the project', async () => {
    await call('POST', '/api/preview/job', SHOP, inProject('shop', 'secret'));
    for (const path of ['secret/status', 'secret/artifact', 'secret/status?projectId=shop']) {
      const { response, body } = await call('GET', `/api/preview/job/${path}`, DOCS);
      expect(response.status).toBe(404);
      expect(body).toMatchObject({ code: 'job_not_found' });
    }
    expect((await call('DELETE', '/api/preview/job/secret?projectId=shop', DOCS)).response.status).toBe(404);
    expect((await call('GET', '/api/preview/job/secret/status', SHOP)).response.status).toBe(200);
  });

  test('two projects may use the same job id', async () => {
    for (const [key, project] of [[DOCS, 'docs'] as const, [SHOP, 'shop'] as const]) {
      const posted = await call('POST', '/api/preview/job', key, inProject(project, 'same'));
      expect(posted.response.status).toBe(202);
      const { body } = await call('GET', '/api/preview/job/same/status', key);
      expect(body).toMatchObject({ projectId: project });
    }
  });
});

const inProject = (projectId: string, jobId: string) => smallJob(jobId, {}, { projectId, dryRun: true });
