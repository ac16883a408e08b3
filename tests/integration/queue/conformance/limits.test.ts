import { fork } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/eventually.ts';
import { processFile } from '../../../support/processes.ts';
import { queueBackends, sharedBackends, startQueueBackend } from '../../../support/queueBackends.ts';
import { openQueueWorld, type QueueWorld, toldJob } from '../../../support/queueWorld.ts';

const ofProject = (projectId: string, count: number) =>
  Array.from({ length: count }, (_, i) => toldJob(`${projectId}-${i}`, [], { projectId }));

let world: QueueWorld;
let stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.reverse()) await stop();
  stops = [];
});

describe.each(queueBackends)('one project on the %s queue', (name) => {
  it('that floods the queue leaves room for the others', async () => {
    const queue = await startQueueBackend(name);
    stops.push(queue.stop);
    world = await openQueueWorld(queue.url, { queueMax: 20, projectQueueMax: 10 });
    stops.push(world.close);

    const flood = await Promise.allSettled(ofProject('flood', 60).map((job) => world.client.enqueue(job)));
    const refused = flood.filter((answer) => answer.status === 'rejected');
    expect(refused).toHaveLength(50);
    for (const { reason } of refused) {
      expect(reason).toMatchObject({ code: 'queue_full', message: expect.stringContaining('"flood"') });
      expect(reason.retryAfterSeconds).toBeGreaterThanOrEqual(1);
    }
    for (const job of ofProject('quiet', 5)) {
      expect(await world.client.enqueue(job)).toMatchObject({ outcome: 'accepted' });
    }
    const third = await Promise.allSettled(ofProject('third', 8).map((job) => world.client.enqueue(job)));
    expect(third.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    expect(await world.client.queueMetrics()).toMatchObject({ waiting: 20 });
  });
});

describe.each(queueBackends)('who is refused on the %s queue', (name) => {
  const refusal = (one: QueueWorld, jobId: string): Promise<{ code: string; retryAfterSeconds: number }> =>
    one.client.enqueue(toldJob(jobId)).then(
      () => Promise.reject(new Error(`${jobId} was accepted`)),
      (reason) => reason,
    );

  it('is told to come again by how many jobs wait now and how fast they are worked off', async () => {
    const queue = await startQueueBackend(name);
    stops.push(queue.stop);
    world = await openQueueWorld(queue.url, { queueMax: 20 });
    stops.push(world.close);
    for (let i = 0; i < 20; i++) await world.client.enqueue(toldJob(`first-${i}`));
    // Nothing is known of the workers yet: a job in two seconds.
    expect(await refusal(world, 'too-many')).toMatchObject({ code: 'queue_full', retryAfterSeconds: 10 });

    const worker = await world.startWorker({ concurrency: 4 });
    await eventually(
      async () => (await world.client.queueMetrics()).counts.completed === 20 || undefined,
      'the end of all',
    );
    await worker.stop();
    for (let i = 0; i < 20; i++) await world.client.enqueue(toldJob(`second-${i}`));
    // The queue is asked for its pace once a second, and a fast worker needs less for all of them.
    const sooner = await eventually(async () => {
      const { retryAfterSeconds } = await refusal(world, 'too-many');
      return retryAfterSeconds < 10 ? retryAfterSeconds : undefined;
    }, 'a time that follows from the pace');
    expect(sooner).toBeGreaterThanOrEqual(1);
  });

  it.runIf(name !== 'embedded')('waits longer where more jobs wait, whatever the limit is', async () => {
    const queue = await startQueueBackend(name);
    stops.push(queue.stop);
    world = await openQueueWorld(queue.url, { queueMax: 20 });
    stops.push(world.close);
    const generous = await openQueueWorld(queue.url, { queueMax: 100, dataDir: world.dataDir });
    stops.push(generous.close);
    for (const job of ofProject('tests', 60)) await generous.client.enqueue(job);
    expect(await refusal(world, 'too-many')).toMatchObject({ code: 'queue_full', retryAfterSeconds: 30 });
  });
});

describe.each(sharedBackends)('where several processes share the %s queue', (name) => {
  const open = async (count: number, limits: { queueMax: number; projectQueueMax?: number }) => {
    const queue = await startQueueBackend(name);
    stops.push(queue.stop);
    world = await openQueueWorld(queue.url, limits);
    stops.push(world.close);
    const others = Array.from({ length: count - 1 }, () =>
      openQueueWorld(queue.url, { ...limits, dataDir: world.dataDir }),
    );
    const worlds = [world, ...(await Promise.all(others))];
    for (const other of worlds.slice(1)) stops.push(other.close);
    return { url: String(queue.url), worlds };
  };
  /** Sends jobs through all processes at once. @returns how many were accepted */
  const flood = async (worlds: QueueWorld[], projectId: string, count: number): Promise<number> => {
    const sent = ofProject(projectId, count).map((job, i) => worlds[i % worlds.length]?.client.enqueue(job));
    return (await Promise.allSettled(sent)).filter(({ status }) => status === 'fulfilled').length;
  };

  it('those who come to all of them at the same moment get all places, and few more', async () => {
    const { worlds } = await open(3, { queueMax: 40, projectQueueMax: 20 });
    const flooded = await flood(worlds, 'flood', 90);
    expect(flooded).toBeGreaterThanOrEqual(20);
    expect(flooded).toBeLessThanOrEqual(24);
    expect(await flood(worlds, 'quiet', 5)).toBe(5);
    await flood(worlds, 'third', 60);
    const { waiting } = await world.client.queueMetrics();
    expect(waiting).toBeGreaterThanOrEqual(40);
    expect(waiting).toBeLessThanOrEqual(44);
  });

  it('each of them sees what the others have let in', async () => {
    const { worlds } = await open(2, { queueMax: 20, projectQueueMax: 10 });
    const [first, other] = worlds as [QueueWorld, QueueWorld];
    const refused = (projectId: string): Promise<true> =>
      eventually(
        async () =>
          other.client.enqueue(toldJob(`late-${Date.now()}`, [], { projectId })).then(
            () => undefined,
            ({ code }) => code === 'queue_full' || undefined,
          ),
        'a refusal',
      );
    // Both have looked at a queue that was almost empty.
    await other.client.enqueue(toldJob('early', [], { projectId: 'flood' }));
    for (const job of ofProject('flood', 9)) await first.client.enqueue(job);
    await refused('flood');
    for (const job of ofProject('quiet', 9)) await first.client.enqueue(job);
    await refused('third');
    expect((await first.client.queueMetrics()).waiting).toBeLessThanOrEqual(22);
  });

  it('one that is killed while it lets jobs in leaves its places to the others', async () => {
    const queueMax = 200;
    const { url } = await open(1, { queueMax });
    const sender = fork(processFile('senderProcess'), [url, world.dataDir, String(queueMax)]);
    const gone = once(sender, 'exit');
    await once(sender, 'message');
    sender.kill('SIGKILL');
    await gone;
    const before = (await world.client.queueMetrics()).waiting;
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(queueMax);
    await Promise.all(ofProject('tests', queueMax - before).map((job) => world.client.enqueue(job)));
    await expect(world.client.enqueue(toldJob('too-many'))).rejects.toMatchObject({ code: 'queue_full' });
    expect((await world.client.queueMetrics()).waiting).toBe(queueMax);
  });
});
