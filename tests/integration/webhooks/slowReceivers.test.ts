import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEgressAgent } from '../../../src/assets/egress.ts';
import { atOnce } from '../../../src/concurrency/atOnce.ts';
import type { JobRecord } from '../../../src/job/jobRecord.ts';
import { createLogger } from '../../../src/logger.ts';
import { webhookQueueName } from '../../../src/queue/queuedJob.ts';
import { createWebhookSender } from '../../../src/worker/webhooks/webhookSender.ts';
import { createWebhooks, type Webhooks } from '../../../src/worker/webhooks/webhooks.ts';
import { createWebhookWorker, type WebhookWorker } from '../../../src/worker/webhooks/webhookWorker.ts';
import { eventually } from '../../support/eventually.ts';
import { anyBackend, startQueueBackend } from '../../support/queueBackends.ts';
import { openQueueWorld, QUEUE_NAME, type QueueWorld } from '../../support/queueWorld.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../../support/webhookReceiver.ts';

/** So many messages of one project whose receiver does not answer, and of as many others as are named here. */
const SLOW = 200;
const OTHER_PROJECTS = 12;
const OF_EACH_OTHER = 10;
const ALL_SLOW = SLOW + OTHER_PROJECTS * OF_EACH_OTHER;

describe('webhooks', () => {
  let queue: Awaited<ReturnType<typeof startQueueBackend>>;
  let world: QueueWorld;
  let webhooks: Webhooks;
  let worker: WebhookWorker;
  let receiver: WebhookReceiver;
  let messages: Queue;
  const arrived = new Map<string, number>();
  /** Answers that nobody has got yet, by path. */
  const open = new Map<string, Set<ServerResponse>>();
  let mostOpen = 0;
  let areHanging = true;

  const startWorker = (): WebhookWorker => {
    const agent = createEgressAgent(
      { allowPrivate: ['127.0.0.1/32'] },
      { connectMs: 10_000, idleMs: 60_000 },
    );
    const started = createWebhookWorker({
      ...{ backend: world.backend, store: world.store, metrics: world.metrics, queueName: QUEUE_NAME },
      secrets: { get: () => [Buffer.alloc(32, 's')] },
      send: createWebhookSender(agent, 60_000, 'tests'),
      logger: createLogger('silent'),
    });
    started.start();
    return started;
  };

  beforeAll(async () => {
    queue = await startQueueBackend(anyBackend);
    receiver = await startWebhookReceiver(({ path }, response) => {
      arrived.set(path, performance.now());
      if (!areHanging || path.startsWith('/quick')) return void response.writeHead(204).end();
      const ofPath = open.get(path) ?? new Set();
      open.set(path, ofPath.add(response));
      mostOpen = Math.max(mostOpen, ofPath.size);
      response.on('close', () => ofPath.delete(response));
    });
    world = await openQueueWorld(queue.url);
    messages = world.backend.queue(webhookQueueName(QUEUE_NAME));
    webhooks = createWebhooks({ backend: world.backend, queueName: QUEUE_NAME });
    worker = startWorker();
    const projects = [
      ...Array.from({ length: SLOW }, () => 'slow'),
      ...Array.from({ length: OTHER_PROJECTS * OF_EACH_OTHER }, (_, i) => `slow-${i % OTHER_PROJECTS}`),
    ];
    await atOnce(projects, 40, (projectId, i) => end(projectId, `job-${i}`));
    await eventually(
      async () => (open.size === OTHER_PROJECTS + 1 ? true : undefined),
      'a delivery to each slow receiver',
      10,
    );
  });

  afterAll(async () => {
    await worker.stop();
    await messages.close();
    await webhooks.close();
    await world.close();
    await receiver.close();
    await queue.stop();
  });

  /** A job that has ended, with a webhook. */
  const end = async (projectId: string, jobId: string, path = `/${projectId}`): Promise<void> => {
    const record: JobRecord = {
      ...{ projectId, jobId, requestId: 'r', fingerprint: 'f', status: 'completed', dryRun: false },
      ...{ attemptsMade: 1, warnings: [], artifacts: [] },
      ...{ createdAt: new Date().toISOString(), finishedAt: new Date().toISOString() },
      webhook: { id: `msg_${randomUUID()}`, url: `${receiver.url}${path}` },
    };
    // No job of it is in the queue, so nobody would wait for a record that comes later.
    await world.store.putRecord(record);
    await webhooks.announce(record);
  };

  /** Milliseconds from the end of a job of a project whose receiver answers until that is told. */
  const quickTold = async (path: string): Promise<number> => {
    const started = performance.now();
    await end('quick', path.slice(1), path);
    await receiver.got(path);
    return (arrived.get(path) ?? Number.NaN) - started;
  };

  /** The receivers answer from now on, also what they were asked before. */
  const answer = (): void => {
    areHanging = false;
    for (const ofPath of open.values()) for (const response of ofPath) response.writeHead(204).end();
  };

  const idsOfSlow = (): unknown[] =>
    receiver.received
      .filter(({ path }) => path.startsWith('/slow'))
      .map(({ headers }) => headers['webhook-id']);

  const toldSlow = (count: number): Promise<boolean> =>
    eventually(
      async () => (new Set(idsOfSlow()).size === count ? true : undefined),
      `${count} messages to slow receivers`,
    );

  /** How often messages were taken out of the queue so far. */
  const countTaken = async (): Promise<number> => {
    const all = await messages.getJobs(['waiting', 'delayed', 'active', 'completed']);
    return all.reduce((sum, { attemptsStarted }) => sum + attemptsStarted, 0);
  };

  test('of one project do not wait for slow receivers of others, and those that wait leave the queue alone', async () => {
    await quickTold('/quick-warm');
    const [before, started] = [await countTaken(), performance.now()];
    const told: number[] = [];
    for (let i = 0; i < 9; i++) told.push(await quickTold(`/quick-${i}`));
    const taken = (await countTaken()) - before - told.length;
    const seconds = (performance.now() - started) / 1000;
    // The one in the middle: the machine may have had something else to do meanwhile.
    expect(told.sort((a, b) => a - b)[4]).toBeLessThan(1000);
    expect(taken / seconds).toBeLessThan(50);
    expect(mostOpen).toBe(8);
  });

  test('are delivered once each when slow receivers answer again', async () => {
    answer();
    await toldSlow(ALL_SLOW);
    expect(idsOfSlow().length).toBe(ALL_SLOW);
  });

  test('that wait for a place are delivered by another worker when theirs has ended', async () => {
    areHanging = true;
    for (let i = 0; i < 12; i++) await end('slow', `waits-${i}`);
    await eventually(async () => {
      const waiting = (await messages.getDelayed()).filter(({ attemptsStarted }) => attemptsStarted > 0);
      return waiting.length === 4 ? true : undefined;
    }, 'four that found no place');
    await worker.stop();
    answer();
    worker = startWorker();
    await toldSlow(ALL_SLOW + 12);
  });
});
