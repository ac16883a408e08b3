import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type RunningApp, startApi } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import { catalogue, type ErrorCode } from '../../src/errors.ts';
import { createLogger, type Logger } from '../../src/logger.ts';
import { type AssetServer, startAssetServer } from '../integration/assets/assetServer.ts';
import { hasRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { type Service, smallJob, startService } from '../support/service.ts';
import { keepSecret } from '../support/suiteLog.ts';
import { startTraceCollector, type TraceCollector } from '../support/traceCollector.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhookReceiver.ts';

const PICTURE = readFileSync(new URL('../../examples/features/media/wide.jpg', import.meta.url));
const SECRETS = {
  password: 'password-of-the-asset',
  token: 'token-of-the-asset',
  redirected: 'token-of-the-redirect',
  hook: 'token-of-the-webhook',
  hookPassword: 'password-of-the-webhook',
};
for (const [what, secret] of Object.entries(SECRETS)) keepSecret(what, secret);

function capture(): { logger: Logger; said: () => string } {
  const lines: string[] = [];
  return {
    logger: createLogger('trace', { destination: { write: (line) => void lines.push(line) } }),
    said: () => lines.join(''),
  };
}

function expectNone(text: string, secrets: readonly string[]): void {
  expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
}

describe('the secrets of addresses', () => {
  let assets: AssetServer;
  let hooks: WebhookReceiver;
  let collector: TraceCollector;
  let service: Service;
  const { logger, said } = capture();
  const none = (text: string): void => expectNone(text, [...Object.values(SECRETS), service.dataDir]);

  beforeAll(async () => {
    assets = await startAssetServer(({ url = '' }, response) => {
      response.setHeader('connection', 'close');
      if (url.startsWith('/ok')) response.end(PICTURE);
      else if (url.startsWith('/to-private'))
        response.writeHead(302, { location: `http://10.0.0.1/x?token=${SECRETS.redirected}` }).end();
      else if (url.startsWith('/to-error'))
        response.writeHead(302, { location: `/broken?token=${SECRETS.redirected}` }).end();
      else response.writeHead(url.startsWith('/missing') ? 404 : 500).end();
    });
    hooks = await startWebhookReceiver();
    collector = await startTraceCollector();
    const secret = `whsec_${Buffer.alloc(32, 'leak').toString('base64')}`;
    service = await startService(
      {
        PREVIEW_ASSET_ALLOW_PRIVATE: '127.0.0.1/32',
        PREVIEW_WEBHOOK_ALLOW_PRIVATE: '127.0.0.1/32',
        PREVIEW_WEBHOOK_SECRETS: `tests:${secret}`,
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      },
      logger,
    );
  });

  afterAll(async () => {
    await Promise.all([assets.close(), hooks.close(), collector.stop()]);
  });

  const jobWith = (jobId: string, path: string) => {
    const url = `${assets.url.replace('://', `://me:${SECRETS.password}@`)}${path}?token=${SECRETS.token}`;
    const hook = `${hooks.url.replace('://', `://me:${SECRETS.hookPassword}@`)}/${jobId}?token=${SECRETS.hook}`;
    return smallJob(
      jobId,
      { assets: [{ id: 'a', type: 'image', url }], steps: [{ asset: 'a' }] },
      { webhook: { url: hook } },
    );
  };

  test.each(['/ok', '/missing', '/broken', '/to-private', '/to-error'])(
    'are in nothing that is told of a job whose asset is at %s',
    async (path) => {
      const jobId = `job-${path.slice(1)}`;
      const job = jobWith(jobId, path);
      if (path !== '/broken' && path !== '/to-error') {
        expect((await service.post('/api/preview/job', job)).status).toBe(202);
        await service.ended(jobId);
        const [message] = await hooks.got(`/${jobId}?token=${SECRETS.hook}`);
        none(String(message?.body));
        for (const what of ['status', 'events', 'deliveries', 'artifact']) {
          const { body } = await service.get(`/api/preview/job/${jobId}/${what}`);
          none(JSON.stringify(body));
        }
      }
      const planned = await service.post('/api/preview/validate', job);
      expect(planned.status).toBe(path === '/ok' ? 200 : 422);
      none(JSON.stringify(planned.body));
      if (path !== '/ok') return;
      const { body } = await service.get(`/api/preview/job/${jobId}/artifact?name=manifest.json`);
      none(await (await fetch(service.url + String(body.url))).text());
    },
  );

  test('are in no list, no metric, no description, no log and no trace', async () => {
    for (const path of [
      '/api/preview/dead-letter',
      '/metrics',
      '/openapi.json',
      '/api/preview/worker/health',
    ])
      none(JSON.stringify((await service.get(path)).body));
    // What was not sent yet is sent when the service stops.
    await service.stop();
    none(JSON.stringify(collector.spans));
    expect(collector.spans.map(({ name }) => name)).toContain('assets');
    none(said());
    expect(said()).toContain('job completed');
    expect(said()).toContain('webhook delivered');
  });
});

describe('an answer of 5xx', { timeout: 120_000 }, () => {
  let service: Service | undefined;

  afterEach(() => service?.stop());

  test('says its code and the id of the request, and nothing of what went wrong', async () => {
    const { logger, said } = capture();
    service = await startService({}, logger);
    const { dataDir } = service;
    await rm(join(dataDir, 'store'), { recursive: true });
    await writeFile(join(dataDir, 'store'), 'no folder');
    const answers = [await service.upload(PICTURE), await service.post('/api/preview/job', smallJob('lost'))];
    for (const { status, headers, body } of answers) {
      expect(status).toBe(503);
      const { title } = catalogue[body.code as ErrorCode];
      const requestId = headers.get('x-request-id');
      expect(body).toEqual({
        type: 'about:blank',
        status,
        code: 'store_unavailable',
        title,
        detail: title,
        requestId,
      });
      // The log has the rest, under the same id, without where things are on this machine.
      const line = said()
        .split('\n')
        .find((text) => text.includes(String(requestId)) && text.includes('"err"'));
      expect(line).toMatch(/ENOTDIR|EEXIST/);
    }
    expectNone(said(), [dataDir, process.cwd()]);
  });
});

describe.runIf(hasRedis())('a Redis that refuses', () => {
  let redis: TestRedis;
  let app: RunningApp | undefined;
  let dataDir = '';
  const { logger, said } = capture();
  const PASSWORD = 'password-of-the-queue';
  const WRONG = 'password-that-is-wrong';

  beforeAll(async () => {
    redis = await startRedis();
    dataDir = await mkdtemp(join(tmpdir(), 'preview-leaks-'));
    for (const secret of [PASSWORD, WRONG]) keepSecret('the password of Redis', secret);
    const admin = new Redis(redis.url);
    await admin.config('SET', 'requirepass', PASSWORD);
    admin.disconnect();
  });
  afterEach(() => app?.stop());
  afterAll(async () => {
    await redis.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  const start = async (password: string): Promise<string> => {
    const REDIS_URL = redis.url.replace('redis://', `redis://:${password}@`);
    app = await startApi(loadConfig({ DATA_DIR: dataDir, PORT: '0', REDIS_URL }), logger);
    return String(app.url);
  };
  const post = (url: string): Promise<Response> => {
    const asset = {
      id: 'a',
      type: 'image' as const,
      url: `https://cdn.example/a.png?token=${SECRETS.token}`,
    };
    return fetch(`${url}/api/preview/job`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(smallJob('refused', { assets: [asset], steps: [{ asset: 'a' }] })),
    });
  };

  test('the password is not logged', async () => {
    const response = await post(await start(WRONG));
    expect(response.status).toBe(503);
    expectNone(await response.text(), [WRONG, redis.url]);
    expect(said()).toMatch(/WRONGPASS|NOAUTH/);
    expectNone(said(), [WRONG]);
  });

  test('to take a job leads to no line that shows the job', async () => {
    const url = await start(PASSWORD);
    const admin = new Redis(redis.url, { password: PASSWORD });
    await admin.config('SET', 'maxmemory', '1');
    admin.disconnect();
    const response = await post(url);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: 'queue_unavailable' });
    expect(said()).toContain('OOM');
    expectNone(said(), [PASSWORD, SECRETS.token]);
  });
});
