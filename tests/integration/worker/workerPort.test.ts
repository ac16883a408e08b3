import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningApp, startWorker } from '../../../src/app.ts';
import { loadConfig } from '../../../src/config.ts';
import { createLogger } from '../../../src/logger.ts';
import { hasRedis, openRedis, type SharedRedis } from '../../support/redis.ts';

describe.skipIf(!hasRedis())('a worker alone', () => {
  let redis: SharedRedis;
  let worker: RunningApp;
  let dataDir: string;

  beforeAll(async () => {
    redis = await openRedis();
    dataDir = await mkdtemp(join(tmpdir(), 'preview-port-'));
    worker = await start('0');
  });
  afterAll(async () => {
    await worker.stop();
    await redis.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  const start = (port: string): Promise<RunningApp> => {
    const env = { DATA_DIR: dataDir, REDIS_URL: redis.url, PREVIEW_WORKER_PORT: port };
    return startWorker(loadConfig(env), createLogger('silent'));
  };

  it.each(['/livez', '/readyz', '/api/preview/worker/health'])('answers %s', async (path) => {
    const response = await fetch(worker.url + path);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ status: 'ok' });
  });

  it('answers /metrics, with its own jobs and the whole queue', async () => {
    const text = await (await fetch(`${worker.url}/metrics`)).text();
    expect(text).toContain('preview_worker_active_jobs 0');
    expect(text).toContain('preview_worker_jobs_total{outcome="failure"} 0');
    expect(text).toContain('preview_worker_queue_up 1');
  });

  it('takes no jobs there', async () => {
    const response = await fetch(`${worker.url}/api/preview/job`, { method: 'POST' });
    expect(response.status).toBe(404);
  });

  it('says which setting to change where its port is taken', async () => {
    const port = new URL(worker.url ?? '').port;
    await expect(start(port)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining(`PREVIEW_WORKER_PORT ${port} is in use`),
    });
  });
});
