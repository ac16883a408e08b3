import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningApp, startApi } from '../../../src/app.ts';
import { loadConfig } from '../../../src/config.ts';
import { createLogger } from '../../../src/logger.ts';
import { freePort } from '../../support/redis.ts';
import { type Service, smallJob, startService } from '../../support/service.ts';

describe('the API as a whole', () => {
  let service: Service;

  beforeAll(async () => {
    service = await startService();
  });

  afterAll(() => service.stop());

  test.each(['/nothing', '/api', '/api/preview/job', '/artifacts/x', '/docs/nothing'])(
    'answers GET %s, where nothing is, with a problem',
    async (path) => {
      const { status, headers, body } = await service.get(path);
      expect(status).toBe(404);
      expect(headers.get('content-type')).toContain('application/problem+json');
      expect(body).toMatchObject({ status: 404, code: 'not_found', detail: expect.stringContaining(path) });
    },
  );

  test('answers an address that cannot be read with a problem', async () => {
    expect(await service.get('/%zz')).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  test('returns the request id that it was given, in header and problem', async () => {
    const { headers, body } = await service.get('/nothing', { 'x-request-id': 'my-request.1' });
    expect(headers.get('x-request-id')).toBe('my-request.1');
    expect(body.requestId).toBe('my-request.1');
  });

  test.each(['a b', 'x'.repeat(129), '<script>', ''])(
    'makes an id of its own instead of %j',
    async (given) => {
      const { headers } = await service.get('/livez', { 'x-request-id': given });
      expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    },
  );

  test('lets no page run anything from its answers', async () => {
    const { headers } = await service.get('/livez');
    expect(headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none'");
    expect(Object.fromEntries(headers)).toMatchObject({
      'cross-origin-resource-policy': 'cross-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
    });
    for (const page of ['/', '/docs/', '/admin/queues/']) {
      expect(Object.fromEntries((await service.get(page)).headers), page).toMatchObject({
        'content-security-policy': expect.stringContaining("object-src 'none'"),
        'cross-origin-opener-policy': 'same-origin',
        'origin-agent-cluster': '?1',
        'x-content-type-options': 'nosniff',
        'x-dns-prefetch-control': 'off',
        'x-download-options': 'noopen',
        'x-permitted-cross-domain-policies': 'none',
        'x-xss-protection': '0',
      });
    }
  });

  test('counts requests by route, never by address', async () => {
    await service.get('/api/preview/job/some-job/status');
    const { text } = (await service.get('/metrics')).body;
    expect(text).toContain('route="/api/preview/job/:jobId/status",status="404"');
    expect(text).not.toContain('some-job');
  });

  describe('/openapi.json', () => {
    let description: { paths: Record<string, Record<string, Operation>> };

    beforeAll(async () => {
      description = (await service.get('/openapi.json')).body as unknown as typeof description;
    });

    test('lists every call', () => {
      const calls = Object.entries(description.paths).flatMap(([path, operations]) =>
        Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
      );
      expect(calls.sort()).toEqual([
        'DELETE /api/assets/{sha256}',
        'DELETE /api/preview/dead-letter/{jobId}',
        'DELETE /api/preview/job/{jobId}',
        'GET /api/assets',
        'GET /api/preview/access',
        'GET /api/preview/dead-letter',
        'GET /api/preview/dead-letter/{jobId}',
        'GET /api/preview/events',
        'GET /api/preview/job/{jobId}',
        'GET /api/preview/job/{jobId}/artifact',
        'GET /api/preview/job/{jobId}/deliveries',
        'GET /api/preview/job/{jobId}/events',
        'GET /api/preview/job/{jobId}/history',
        'GET /api/preview/job/{jobId}/status',
        'GET /api/preview/job/{jobId}/stream.m3u8',
        'GET /api/preview/job/{jobId}/stream/audio.m3u8',
        'GET /api/preview/job/{jobId}/stream/video.m3u8',
        'GET /api/preview/jobs',
        'GET /api/preview/queue/metrics',
        'GET /api/preview/worker/health',
        'GET /artifacts/{sha256}/{name}',
        'GET /livez',
        'GET /metrics',
        'GET /readyz',
        'HEAD /artifacts/{sha256}/{name}',
        'POST /api/assets',
        'POST /api/preview/dead-letter/{jobId}/replay',
        'POST /api/preview/job',
        'POST /api/preview/validate',
      ]);
    });

    test('describes the answers of each, and its problems as such', () => {
      for (const [path, operations] of Object.entries(description.paths)) {
        for (const { summary, responses } of Object.values(operations)) {
          expect(summary, path).toBeTruthy();
          for (const [status, { content }] of Object.entries(responses)) {
            const isProblem = Number(status) >= 400 && content && !('application/json' in content);
            if (isProblem) expect(Object.keys(content), path).toEqual(['application/problem+json']);
          }
        }
      }
      const { responses } = description.paths['/api/preview/job']?.post ?? { responses: {} };
      expect(Object.keys(responses)).toEqual([
        '200',
        '202',
        '400',
        '401',
        '403',
        '413',
        '415',
        '422',
        '429',
        '503',
      ]);
    });

    test('has no reference that leads nowhere', () => {
      const references = [...JSON.stringify(description).matchAll(/"\$ref":"([^"]+)"/g)].map(
        ([, ref]) => ref ?? '',
      );
      expect(references).toContain('#/components/schemas/Step');
      for (const reference of references) expect(at(description, reference), reference).toBeDefined();
    });
  });

  test('/docs shows the description, with a policy that lets its own scripts run', async () => {
    const { status, headers, body } = await service.get('/docs/');
    expect(status).toBe(200);
    expect(String(body.text)).toContain('swagger-ui');
    const policy = headers.get('content-security-policy');
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toContain('http');
    expect(policy).not.toContain('upgrade-insecure-requests');
  });
});

describe('an API whose queue is away', () => {
  let app: RunningApp;
  let dataDir = '';

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'preview-api-'));
    const REDIS_URL = `redis://127.0.0.1:${await freePort()}`;
    const config = loadConfig({ DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'silent', REDIS_URL });
    app = await startApi(config, createLogger('silent'));
  });

  afterAll(async () => {
    await app.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  test('accepts nothing, and says so within seconds', async () => {
    const started = performance.now();
    const response = await fetch(`${app.url}/api/preview/job`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(smallJob('lost')),
    });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: 'queue_unavailable' });
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test('is alive, is not ready, and its health names the queue and what to do', async () => {
    expect((await fetch(`${app.url}/livez`)).status).toBe(200);
    expect((await fetch(`${app.url}/readyz`)).status).toBe(503);
    const health = await fetch(`${app.url}/api/preview/worker/health`);
    expect(health.status).toBe(503);
    expect(await health.json()).toMatchObject({
      status: 'down',
      queue: { connected: false, latencyMs: null },
      checks: expect.arrayContaining([
        { name: 'queue', ok: false, message: expect.stringContaining('REDIS_URL') },
        { name: 'store', ok: true, message: expect.any(String) },
      ]),
    });
  });

  test('still gives metrics, without numbers of the queue that nobody knows', async () => {
    const text = await (await fetch(`${app.url}/metrics`)).text();
    expect(text).toContain('preview_worker_jobs_total');
    expect(text).not.toContain('preview_worker_queue_jobs{');
    expect(text).toContain('preview_worker_queue_oldest_waiting_seconds Nan');
  });

  test('says in its health what is wrong with the store', async () => {
    await rm(join(dataDir, 'store'), { recursive: true });
    const health = await fetch(`${app.url}/api/preview/worker/health`);
    const { checks } = (await health.json()) as { checks: { name: string; message: string }[] };
    expect(checks.find(({ name }) => name === 'store')).toEqual({
      name: 'store',
      ok: false,
      message:
        'The store cannot be used (ENOENT); check the disk and the rights of DATA_DIR. Nothing was kept.',
    });
  });
});

interface Operation {
  summary: string;
  responses: Record<string, { content?: Record<string, unknown> }>;
}

/** What a JSON pointer in a fragment leads to. */
function at(document: unknown, reference: string): unknown {
  return reference
    .slice(2)
    .split('/')
    .reduce<unknown>(
      (value, key) => (value && typeof value === 'object' ? Reflect.get(value, key) : undefined),
      document,
    );
}
