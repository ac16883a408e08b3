import { fork } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/logger.ts';
import { checkHealth, isReady } from '../../../src/worker/health.ts';
import { createQueueWatch, type QueueWatch } from '../../../src/worker/watch/queueWatch.ts';
import { eventually } from '../../support/eventually.ts';
import { processFile } from '../../support/processes.ts';
import { anyBackend, startQueueBackend } from '../../support/queueBackends.ts';
import { openQueueWorld, type QueueWorld, toldJob } from '../../support/queueWorld.ts';
import { hasRedis, startRedis, type TestRedis } from '../../support/redis.ts';

const WORKER_PROCESS = processFile('workerProcess');
const logger = createLogger('silent');

describe('the metrics of the queue', () => {
  let queue: Awaited<ReturnType<typeof startQueueBackend>>;
  let world: QueueWorld;
  let watch: QueueWatch | undefined;

  beforeEach(async () => {
    queue = await startQueueBackend(anyBackend);
    world = await openQueueWorld(queue.url);
  });
  afterEach(async () => {
    await watch?.close();
    await world.close();
    await queue.stop();
  });

  const watchQueue = async (everyMs?: number): Promise<QueueWatch> => {
    watch = await createQueueWatch({ ...world, logger, ...(everyMs ? { everyMs } : {}) });
    return watch;
  };

  it('tell how many jobs wait, of how many that may, and what room the store has', async () => {
    for (const id of ['a', 'b', 'c']) await world.client.enqueue(toldJob(id));
    await watchQueue();
    const text = await world.metrics.registry.metrics();
    expect(text).toContain('preview_worker_queue_up 1');
    expect(text).toContain('preview_worker_queue_jobs{state="prioritized"} 3');
    expect(text).toContain('preview_worker_queue_limit 20');
    expect(text).toMatch(/preview_worker_queue_oldest_waiting_seconds \d/);
    expect(text).toMatch(/preview_worker_store_bytes\{kind="free"\} \d+/);
    expect(text).toMatch(/preview_worker_store_bytes\{kind="total"\} \d+/);
  });

  it('are scraped in under 5 ms, and a hundred scrapes do not count the queue once', async () => {
    let counts = 0;
    const client = {
      ...world.client,
      queueMetrics() {
        counts++;
        return world.client.queueMetrics();
      },
    };
    watch = await createQueueWatch({ ...world, client, logger });
    // Processor time, because a busy machine makes everything wait; and the median, because the queue works meanwhile.
    const costs: number[] = [];
    for (let i = 0; i < 100; i++) {
      const before = process.cpuUsage();
      await world.metrics.registry.metrics();
      const { user, system } = process.cpuUsage(before);
      costs.push((user + system) / 1000);
    }
    expect(counts).toBe(1);
    expect(costs.sort((a, b) => a - b)[50]).toBeLessThan(5);
  });
});

describe.skipIf(!hasRedis())('health', () => {
  let redis: TestRedis;
  let world: QueueWorld;
  let watch: QueueWatch;

  beforeEach(async () => {
    redis = await startRedis();
    world = await openQueueWorld(redis.url);
    watch = await createQueueWatch({ ...world, logger, everyMs: 100 });
  });
  afterEach(async () => {
    await watch.close();
    await world.close();
    await redis.stop();
  });

  it('names jobs that wait without any worker, and is still ready to take more', async () => {
    await world.client.enqueue(toldJob('alone'));
    const health = await eventually(async () => {
      const now = await checkHealth({ ...world, watch });
      return now.status === 'down' ? now : undefined;
    }, 'a check that fails');
    expect(health.checks.filter(({ ok }) => !ok)).toEqual([
      {
        name: 'workers',
        ok: false,
        message: expect.stringContaining('Jobs wait (1) and no worker is connected'),
      },
    ]);
    expect(isReady(health)).toBe(true);
  });

  it('finds the silent wedge: a worker is connected, jobs wait, and none is taken', async () => {
    const worker = fork(WORKER_PROCESS, [redis.url, world.dataDir]);
    const gone = new Promise((resolve) => worker.once('exit', resolve));
    try {
      await eventually(async () => (await world.client.workers())[0], 'the worker');
      // It stands still as in an endless loop: connected, and deaf.
      worker.kill('SIGSTOP');
      await world.client.enqueue(toldJob('stuck'));
      const check = () => checkHealth({ ...world, watch, mostStandstillSeconds: 3 });
      const health = await eventually(async () => {
        const now = await check();
        return now.status === 'down' ? now : undefined;
      }, 'a check that fails');
      expect(health.workers).toHaveLength(1);
      expect(health.checks.filter(({ ok }) => !ok)).toEqual([
        {
          name: 'wedge',
          ok: false,
          message: expect.stringMatching(/^Jobs wait \(1\) and none has been taken for \d+ s/),
        },
      ]);
      worker.kill('SIGCONT');
      await world.reaches('stuck', 'completed');
      await eventually(
        async () => ((await check()).status === 'ok' ? true : undefined),
        'health after the wedge',
      );
    } finally {
      worker.kill('SIGKILL');
      await gone;
    }
  });

  it('forgets the numbers of a queue that does not answer', async () => {
    await redis.kill();
    await eventually(async () => (watch.latest() ? undefined : true), 'a sample without an answer');
    const text = await world.metrics.registry.metrics();
    expect(text).toContain('preview_worker_queue_up 0');
    expect(text).not.toContain('preview_worker_queue_jobs{');
    expect(text).toContain('preview_worker_queue_oldest_waiting_seconds Nan');
    expect(isReady(await checkHealth({ ...world, watch }))).toBe(false);
  });
});
