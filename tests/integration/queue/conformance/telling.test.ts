import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JobRecord } from '../../../../src/job/jobRecord.ts';
import { findNeeded } from '../../../../src/worker/neededByQueue.ts';
import { createWebhooks, type Webhooks } from '../../../../src/worker/webhooks/webhooks.ts';
import { queueBackends, startQueueBackend } from '../../../support/queueBackends.ts';
import { openQueueWorld, QUEUE_NAME, type QueueWorld } from '../../../support/queueWorld.ts';

describe.each(queueBackends)('a webhook that waits on the %s queue', (name) => {
  let queue: Awaited<ReturnType<typeof startQueueBackend>>;
  let world: QueueWorld;
  let webhooks: Webhooks;

  beforeEach(async () => {
    queue = await startQueueBackend(name);
    world = await openQueueWorld(queue.url);
    webhooks = createWebhooks({ backend: world.backend, queueName: QUEUE_NAME });
  });

  afterEach(async () => {
    await webhooks.close();
    await world.close();
    await queue.stop();
  });

  test('keeps the record that it tells of, and is queued once', async () => {
    const record: JobRecord = {
      ...{ projectId: 'tests', jobId: 'ended', requestId: 'r', fingerprint: 'f', status: 'completed' },
      ...{ dryRun: false, attemptsMade: 1, warnings: [], artifacts: [] },
      ...{ createdAt: '2026-01-01T08:00:00.000Z', finishedAt: '2026-01-01T09:00:00.000Z' },
      webhook: { id: 'msg_1', url: 'https://someone:pass@example.org/hook?token=abc' },
    };
    await Promise.all([webhooks.announce(record), webhooks.announce(record)]);

    const { isNeeded } = await findNeeded(world.backend, QUEUE_NAME);
    expect(isNeeded(record)).toBe(true);
    expect(isNeeded({ ...record, jobId: 'another' })).toBe(false);
    const { webhook: _, ...silent } = record;
    expect(isNeeded(silent)).toBe(false);
    expect(await webhooks.deliveries(record)).toEqual([
      {
        id: 'msg_1',
        url: 'https://example.org/hook',
        status: 'pending',
        attempts: [],
        nextAttemptAt: expect.any(String),
      },
    ]);
    expect(await webhooks.deliveries({ projectId: 'shop', jobId: 'ended' })).toEqual([]);
  });
});
