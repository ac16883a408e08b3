import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkHealth } from '../../../src/worker/health.ts';
import { eventually } from '../../support/eventually.ts';
import { openQueueWorld, type QueueWorld, toldJob } from '../../support/queueWorld.ts';
import { hasRedis, startRedis, type TestRedis } from '../../support/redis.ts';

describe.skipIf(!hasRedis())('while Redis is away', () => {
  let redis: TestRedis;
  let world: QueueWorld;

  beforeEach(async () => {
    redis = await startRedis();
  });

  afterEach(async () => {
    await world.close();
    await redis.stop();
  });

  it('a job is refused within three seconds, and nothing of it is accepted', async () => {
    world = await openQueueWorld(redis.url);
    await redis.kill();
    const started = Date.now();
    await expect(world.client.enqueue(toldJob('lost'))).rejects.toMatchObject({ code: 'queue_unavailable' });
    expect(Date.now() - started).toBeLessThan(3000);
    await redis.restart();
    expect(await answered(() => world.client.queueMetrics())).toMatchObject({ total: 0 });
  });

  it('health says so, and what to do', async () => {
    world = await openQueueWorld(redis.url);
    await redis.kill();
    const health = await checkHealth({ ...world, watch: { latest: () => undefined } });
    expect(health).toMatchObject({ status: 'down', queue: { connected: false, latencyMs: null } });
    expect(health.checks).toContainEqual({
      name: 'queue',
      ok: false,
      message: expect.stringContaining('REDIS_URL'),
    });
  });

  it('a service can start, and takes jobs as soon as Redis is there', async () => {
    await redis.kill();
    world = await openQueueWorld(redis.url);
    await world.startWorker();
    await expect(world.client.enqueue(toldJob('patient'))).rejects.toMatchObject({
      code: 'queue_unavailable',
    });
    await redis.restart();
    await answered(() => world.client.enqueue(toldJob('patient')));
    expect(await world.reaches('patient', 'completed')).toMatchObject({ attemptsMade: 1 });
  });

  it('what was accepted before is still there afterwards', async () => {
    world = await openQueueWorld(redis.url);
    for (let i = 0; i < 10; i++) await world.client.enqueue(toldJob(`kept-${i}`));
    await redis.kill();
    await redis.restart();
    expect(await answered(() => world.client.queueMetrics())).toMatchObject({ waiting: 10 });
    await world.startWorker();
    for (let i = 0; i < 10; i++) await world.reaches(`kept-${i}`, 'completed');
  });

  it('a worker without a job stops at once, however long its grace is', async () => {
    world = await openQueueWorld(redis.url);
    const worker = await world.startWorker({ shutdownGraceSeconds: 60 });
    await redis.kill();
    const started = Date.now();
    await worker.stop();
    await worker.stop();
    expect(Date.now() - started).toBeLessThan(10_000);
  });

  it('a worker that is told to stop does stop, and its children with it', async () => {
    world = await openQueueWorld(redis.url);
    const worker = await world.startWorker({ shutdownGraceSeconds: 1 });
    await world.client.enqueue(toldJob('stuck', ['spin']));
    await eventually(async () => (await world.begun('stuck')) || undefined, 'the start of the job');
    await redis.kill();
    const started = Date.now();
    await worker.stop();
    expect(Date.now() - started).toBeLessThan(5000);
  });
});

/** What the queue answers as soon as it is reached again. */
function answered<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  return eventually(() => ask().catch(() => undefined), 'an answer of the queue');
}
