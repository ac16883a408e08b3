import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { CLI } from '../support/processes.ts';
import { openQueueWorld, QUEUE_NAME, type QueueWorld, toldJob } from '../support/queueWorld.ts';
import { freePort, hasRedis, openRedis, type SharedRedis } from '../support/redis.ts';

describe.skipIf(!hasRedis())('a job that is sent many times to two API processes', () => {
  let redis: SharedRedis;
  let world: QueueWorld;
  const processes: ChildProcess[] = [];

  const killed = (child: ChildProcess): Promise<void> =>
    new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.kill('SIGKILL');
    });

  afterEach(async () => {
    await Promise.all(processes.splice(0).map(killed));
    await world.close();
    await redis.stop();
  });

  /** The real command line in a process of its own. */
  async function startApi(): Promise<string> {
    const port = await freePort();
    const env = {
      ...{ PATH: process.env.PATH, PORT: String(port), LOG_LEVEL: 'silent' },
      ...{ REDIS_URL: redis.url, DATA_DIR: world.dataDir },
    };
    processes.push(spawn(process.execPath, [CLI, 'api'], { env, stdio: 'ignore' }));
    const url = `http://127.0.0.1:${port}`;
    await eventually(
      async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.ok || undefined,
      'the API being ready',
    );
    return url;
  }

  async function post(url: string, job: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(`${url}/api/preview/job`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(job),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  it('is accepted once and rendered once: at the same moment, after a restart, and after the queue forgot it', async () => {
    redis = await openRedis();
    world = await openQueueWorld(redis.url);
    const job = toldJob('often');
    const urls = await Promise.all([startApi(), startApi()]);

    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => post(String(urls[i % 2]), job)));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(99);

    await Promise.all(processes.splice(0).map(killed));
    const url = await startApi();
    expect(await post(url, job)).toMatchObject({ status: 200, body: { status: 'queued' } });

    await world.startWorker();
    await world.reaches('often', 'completed');
    expect(await post(url, job)).toMatchObject({ status: 200, body: { status: 'completed' } });

    await world.backend.queue(QUEUE_NAME).clean(0, 100, 'completed');
    expect(await world.backend.queue(QUEUE_NAME).getJob('tests~often')).toBeUndefined();
    expect(await post(url, job)).toMatchObject({ status: 200, body: { status: 'completed' } });
    expect(await post(url, toldJob('often', ['fail']))).toMatchObject({
      status: 422,
      body: { code: 'job_id_reused' },
    });
    expect(await world.begun('often')).toBe(1);
  }, 90_000);
});
