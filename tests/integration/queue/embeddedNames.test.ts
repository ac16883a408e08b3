import { afterEach, beforeEach, expect, test } from 'vitest';
import { workerName } from '../../../src/worker/workerName.ts';
import { eventually } from '../../support/eventually.ts';
import { openQueueWorld, type QueueWorld } from '../../support/queueWorld.ts';

let world: QueueWorld;

beforeEach(async () => {
  world = await openQueueWorld(undefined);
});

afterEach(() => world.close());

test('the embedded queue knows its workers while others work on other queues', async () => {
  const seen = (count: number) =>
    eventually(async () => {
      const names = await world.client.workers();
      return names.length === count ? names : undefined;
    }, `${count} workers`);
  const worker = await world.startWorker();
  const other = world.backend.worker('others', async () => undefined, { name: 'other' });
  await other.waitUntilReady();
  expect(await seen(1)).toEqual([workerName()]);

  await other.close();
  expect(await seen(1)).toEqual([workerName()]);
  await worker.stop();
  expect(await seen(0)).toEqual([]);
});
