import type { ServerResponse } from 'node:http';
import type { Agent } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEgressAgent } from '../../../src/assets/egress.ts';
import { createWebhookSender, type WebhookSender } from '../../../src/worker/webhooks/webhookSender.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../../support/webhookReceiver.ts';

const TIMEOUT_MS = 2000;
const never = new AbortController().signal;

describe('sending a webhook', () => {
  let receiver: WebhookReceiver;
  let agent: Agent;
  let send: WebhookSender;

  beforeAll(async () => {
    receiver = await startWebhookReceiver(({ path }, response) => answers[path]?.(response));
    agent = createEgressAgent({ allowPrivate: ['127.0.0.1/32'] }, { connectMs: 2000, idleMs: 5000 });
    send = createWebhookSender(agent, TIMEOUT_MS, 'tests/1');
  });

  afterAll(async () => {
    await agent.destroy();
    await receiver.close();
  });

  const answers: Record<string, (response: ServerResponse) => void> = {
    '/created': (response) => void response.writeHead(201).end('thank you'),
    '/silent': () => undefined,
    '/trickle': (response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('.'), 20);
      response.on('close', () => clearInterval(timer));
    },
    '/endless': (response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    },
    '/reset': (response) => void response.destroy(),
    '/moved': (response) => void response.writeHead(308, { location: '/created' }).end(),
    '/gone': (response) => void response.writeHead(410, { 'retry-after': '5' }).end(),
    '/busy': (response) => void response.writeHead(429, { 'retry-after': '120' }).end(),
    '/wrong': (response) => void response.writeHead(400).end(),
  };
  const knock = (path: string, url = receiver.url + path) =>
    send({ id: 'msg_1', url, body: '{}', secrets: [Buffer.alloc(32)] }, never);

  test.each([
    ['/created', { status: 201, final: true }],
    ['/trickle', { status: 200, final: true }],
    ['/endless', { status: 200, final: true }],
    ['/moved', { status: 308, final: false, failure: expect.stringContaining('not followed') }],
    ['/gone', { status: 410, final: true, failure: 'The receiver is gone.' }],
    ['/busy', { status: 429, final: false, retryAfterSeconds: 120 }],
    ['/wrong', { status: 400, final: false, failure: 'It answered 400.' }],
    ['/silent', { final: false, failure: 'It did not answer within 2 s.' }],
    ['/reset', { final: false, failure: 'It could not be reached.' }],
  ])('to %s', async (path, expected) => {
    const started = performance.now();
    expect(await knock(path)).toMatchObject(expected);
    expect(performance.now() - started).toBeLessThan(2 * TIMEOUT_MS);
    expect(receiver.received.filter((message) => message.path === path)).toHaveLength(1);
  });

  test.each(['ftp://127.0.0.1/', 'not a url', 'file:///etc/passwd'])('not to %s', async (url) => {
    expect(await knock('', url)).toMatchObject({ final: true, failure: expect.stringContaining('http') });
  });

  test('says nothing of the address that could not be reached', async () => {
    const { failure } = await knock('', 'http://nobody.invalid/?token=abc');
    expect(failure).toBe('It could not be reached.');
  });
});
