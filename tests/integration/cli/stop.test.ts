import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { CLI } from '../../support/processes.ts';
import { openQueueWorld, type QueueWorld } from '../../support/queueWorld.ts';
import { hasRedis, startRedis, type TestRedis } from '../../support/redis.ts';
import { smallJob } from '../../support/service.ts';

const GRACE_SECONDS = 5;

describe.skipIf(!hasRedis())('a worker that is told to stop in the middle of a long job', () => {
  let redis: TestRedis;
  let world: QueueWorld;
  let worker: ChildProcess;

  beforeEach(async () => {
    redis = await startRedis();
    world = await openQueueWorld(redis.url);
    const steps = Array.from({ length: 400 }, (_, i) => ({ title: `Step ${i}`, durationSeconds: 1 }));
    await world.client.enqueue(smallJob('long', { steps, options: { resolution: '1920x1080', fps: 60 } }));
    const env = {
      ...{ PATH: process.env.PATH, DATA_DIR: world.dataDir, REDIS_URL: redis.url, LOG_LEVEL: 'silent' },
      PREVIEW_SHUTDOWN_GRACE_SECONDS: String(GRACE_SECONDS),
      // Whatever ports it may have are free ones.
      PORT: '0',
    };
    worker = spawn(process.execPath, [CLI, 'worker'], { env, stdio: 'ignore' });
    await world.reaches('long', 'rendering');
  });

  afterEach(async () => {
    worker.kill('SIGKILL');
    await world.close();
    await redis.stop();
  });

  const stopped = async (): Promise<{ code: number; seconds: number }> => {
    const exit = new Promise<number>((resolve) => worker.once('exit', resolve));
    const started = Date.now();
    worker.kill('SIGTERM');
    return { code: await exit, seconds: (Date.now() - started) / 1000 };
  };

  test('gives it back before the grace ends, and no attempt is lost', async () => {
    const { code, seconds } = await stopped();
    expect(code).toBe(0);
    expect(seconds).toBeLessThan(GRACE_SECONDS);
    expect(await world.client.status({ jobId: 'long' })).toMatchObject({ status: 'queued', attemptsMade: 0 });
  });

  test('exits at once on a second signal', async () => {
    const ending = stopped();
    worker.kill('SIGINT');
    const { code, seconds } = await ending;
    expect(code).toBe(1);
    // With one signal it would go on for three seconds, and end with 0.
    expect(seconds).toBeLessThan(GRACE_SECONDS / 2);
  });

  test('exits before the grace ends although Redis is gone', async () => {
    await redis.kill();
    const { seconds } = await stopped();
    expect(seconds).toBeLessThan(GRACE_SECONDS);
    await redis.restart();
    const status = await eventually(
      () => world.client.status({ jobId: 'long' }).catch(() => undefined),
      'an answer of the queue',
    );
    expect(status).toMatchObject({ jobId: 'long' });
    expect(status).not.toHaveProperty('finishedAt');
  });
});
