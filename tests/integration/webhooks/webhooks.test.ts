import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLogger } from '../../../src/logger.ts';
import { eventually } from '../../support/eventually.ts';
import { EMBEDDED, type Service, smallJob, startService } from '../../support/service.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../../support/webhookReceiver.ts';

const OLD = `whsec_${Buffer.alloc(32, 'old').toString('base64')}`;
const NEW = `whsec_${Buffer.alloc(32, 'new').toString('base64')}`;
const OTHER = `whsec_${Buffer.alloc(32, 'other').toString('base64')}`;

/** The example of docs/webhooks.md, as it stands there. */
async function loadExample(): Promise<(headers: object, body: string, secret: string) => boolean> {
  const page = readFileSync(new URL('../../../docs/webhooks.md', import.meta.url), 'utf8');
  const [, code = ''] = /```js verify\n([\s\S]*?)```/.exec(page) ?? [];
  const { isGenuine } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  return isGenuine;
}

describe('webhooks on the embedded queue', () => {
  let receiver: WebhookReceiver;
  let service: Service;
  const lines: string[] = [];

  beforeAll(async () => {
    let refusals = 2;
    receiver = await startWebhookReceiver(({ path }, response) => {
      if (path === '/gone') return void response.writeHead(410).end();
      if (path === '/moved') return void response.writeHead(302, { location: '/done' }).end();
      if (path === '/busy' && refusals-- > 0)
        return void response.writeHead(503, { 'retry-after': '7' }).end('later');
      response.writeHead(204).end();
    });
    service = await startService(
      {
        ...EMBEDDED,
        PREVIEW_WEBHOOK_SECRETS: `tests:${OLD},tests:${NEW},shop:${OTHER}`,
        PREVIEW_WEBHOOK_ALLOW_PRIVATE: '127.0.0.1/32',
      },
      createLogger('trace', { destination: { write: (line) => void lines.push(line) } }),
    );
  });

  afterAll(async () => {
    await service.stop();
    await receiver.close();
  });

  const send = async (jobId: string, path: string, rest = {}): Promise<void> => {
    const webhook = { url: `${receiver.url}${path}` };
    const { status } = await service.post('/api/preview/job', smallJob(jobId, {}, { webhook, ...rest }));
    expect(status).toBe(202);
  };
  const deliveries = async (jobId: string) => {
    const { body } = await service.get(`/api/preview/job/${jobId}/deliveries`);
    return body.deliveries as Record<string, unknown>[];
  };
  const settled = (jobId: string, status: string) =>
    eventually(async () => {
      const [delivery] = await deliveries(jobId);
      return delivery?.status === status ? delivery : undefined;
    }, `a delivery of ${jobId} that is ${status}`);

  test('tell of a completed job, once, signed with each secret of the project', async () => {
    await send('done', '/done?token=abc');
    const [message] = await receiver.got('/done?token=abc');
    const { headers = {}, body = '' } = message ?? {};
    const isGenuine = await loadExample();
    expect(isGenuine(headers, body, OLD)).toBe(true);
    expect(isGenuine(headers, body, NEW)).toBe(true);
    expect(isGenuine(headers, body, OTHER)).toBe(false);
    expect(isGenuine(headers, `${body} `, OLD)).toBe(false);
    expect(isGenuine({ ...headers, 'webhook-timestamp': '1614265330' }, body, OLD)).toBe(false);
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': expect.stringMatching(/^msg_[0-9a-f-]{36}$/),
      'user-agent': expect.stringMatching(/^preview-worker\//),
    });
    const { type, data } = JSON.parse(body);
    expect(type).toBe('preview.completed');
    expect(data).toMatchObject({ jobId: 'done', projectId: 'tests', status: 'completed' });
    expect(data.artifacts.map((artifact: { name: string }) => artifact.name)).toContain('preview.mp4');
    expect(body).not.toContain(receiver.url);

    const delivery = await settled('done', 'delivered');
    expect(delivery).toMatchObject({
      id: headers['webhook-id'],
      url: `${receiver.url}/done`,
      attempts: [{ status: 204, milliseconds: expect.any(Number) }],
    });
    expect((await service.get('/api/preview/job/done/status')).body).not.toHaveProperty('webhook');
    expect(receiver.received.filter(({ path }) => path.startsWith('/done'))).toHaveLength(1);
  });

  test('tell of a job that failed, and of a dry run', async () => {
    const asset = { id: 'a', type: 'image' as const, upload: 'a'.repeat(64) };
    const webhook = { url: `${receiver.url}/failed` };
    const job = smallJob('failing', { assets: [asset], steps: [{ asset: 'a' }] }, { webhook });
    await service.post('/api/preview/job', job);
    await send('dry', '/dry', { dryRun: true });
    const [failed] = await receiver.got('/failed');
    expect(JSON.parse(failed?.body ?? '')).toMatchObject({
      type: 'preview.failed',
      data: { status: 'failed', error: { code: 'asset_missing' } },
    });
    const [dry] = await receiver.got('/dry');
    expect(JSON.parse(dry?.body ?? '')).toMatchObject({ type: 'preview.completed', data: { dryRun: true } });
  });

  test('tell of a job that was cancelled', async () => {
    const webhook = { url: `${receiver.url}/cancelled` };
    const steps = Array.from({ length: 300 }, (_, i) => ({ title: `Step ${i}`, durationSeconds: 1 }));
    await service.post('/api/preview/job', smallJob('called-off', { steps }, { webhook }));
    expect(await service.cancel('/api/preview/job/called-off')).toMatchObject({ status: 200 });
    const [message] = await receiver.got('/cancelled');
    expect(JSON.parse(message?.body ?? '')).toMatchObject({
      type: 'preview.cancelled',
      data: { jobId: 'called-off', status: 'cancelled' },
    });
  });

  test('are tried again when the receiver says so, with the same id and body', async () => {
    await send('patient', '/busy', { dryRun: true });
    const messages = await receiver.got('/busy', 2, 20);
    expect(new Set(messages.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(messages.map(({ body }) => body)).size).toBe(1);
    const [delivery] = await deliveries('patient');
    expect(delivery).toMatchObject({
      status: 'pending',
      attempts: [{ status: 503, failure: 'It answered 503.' }, { status: 503 }],
    });
    const [first, second] = (delivery?.attempts ?? []) as { at: string }[];
    // 5 s by the schedule, 7 s by Retry-After.
    expect(Date.parse(second?.at ?? '') - Date.parse(first?.at ?? '')).toBeGreaterThan(6900);
    // The third attempt comes after five minutes.
    expect(Date.parse(String(delivery?.nextAttemptAt)) - Date.now()).toBeGreaterThan(290_000);
  });

  test('stop where the receiver answers 410', async () => {
    await send('over', '/gone', { dryRun: true });
    const { attempts } = await settled('over', 'failed');
    expect(attempts).toMatchObject([{ status: 410, failure: 'The receiver is gone.' }]);
  });

  test('follow no redirect', async () => {
    await send('moved', '/moved', { dryRun: true });
    await receiver.got('/moved');
    const attempts = await eventually(async () => {
      const [delivery] = await deliveries('moved');
      return (delivery?.attempts as unknown[] | undefined)?.[0];
    }, 'an attempt');
    expect(attempts).toMatchObject({ status: 302, failure: expect.stringContaining('Redirects') });
    expect(receiver.received.filter(({ path }) => path === '/done')).toEqual([]);
  });

  test('are refused at the door where the project has no secret', async () => {
    const job = smallJob('unsigned', {}, { projectId: 'poor', webhook: { url: receiver.url } });
    expect(await service.post('/api/preview/job', job)).toMatchObject({
      status: 400,
      body: { code: 'invalid_payload', errors: [{ pointer: '/webhook' }] },
    });
  });

  test('are in the log, without what is secret', () => {
    const log = lines.join('');
    expect(log).toContain('webhook delivered');
    expect(log).toContain('webhook given up');
    for (const secret of ['token=abc', OLD, NEW, OTHER, OLD.slice(6)]) expect(log).not.toContain(secret);
  });

  test('are counted', async () => {
    const { text } = (await service.get('/metrics')).body;
    for (const outcome of ['delivered', 'retry', 'failure'])
      expect(text).toMatch(new RegExp(`preview_worker_webhook_deliveries_total{outcome="${outcome}"} [1-9]`));
  });
});
