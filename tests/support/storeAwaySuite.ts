import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, type TestContext } from 'vitest';
import { createLogger } from '../../src/logger.ts';
import { eventually } from './eventually.ts';
import { hasRedis, startRedis } from './redis.ts';
import { startS3, TEST_BUCKET } from './s3.ts';
import { EMBEDDED, type Service, smallJob, startService } from './service.ts';

/** What is under way when the store goes is over by then. */
const SETTLED_SECONDS = 3;

const CLOSED = 'no job is taken until store and queue can be used';
const OPENED = 'store and queue can be used again, jobs are taken';

interface Watched {
  service: Service;
  jobIds: string[];
  /** How often the service has said that. */
  said(message: string): number;
}

/** A service with jobs of which some have ended and the others wait. */
async function startWithJobs(
  jobs: number,
  env: Record<string, string | undefined>,
  { onTestFinished }: TestContext,
): Promise<Watched> {
  const messages: string[] = [];
  const destination = { write: (line: string) => void messages.push(JSON.parse(line).msg) };
  const service = await startService(
    { PREVIEW_QUEUE_MAX: '200', ...env },
    createLogger('info', { destination }),
  );
  onTestFinished(service.stop);
  const said = (message: string): number => messages.filter((each) => each === message).length;
  const jobIds = Array.from({ length: jobs }, (_, i) => `job-${i}`);
  for (const jobId of jobIds) await accepted(service, jobId);
  await eventually(async () => said('job completed') > 2 || undefined, 'the first ends');
  return { service, jobIds, said };
}

/** A busy machine may keep Redis from answering for two seconds, and the sender is told to come again. */
const accepted = (service: Service, jobId: string): Promise<true> =>
  eventually(async () => {
    const { status } = await service.post('/api/preview/job', smallJob(jobId));
    return status < 300 || undefined;
  }, `${jobId} being accepted`);

async function expectAllComplete({ service, jobIds }: Watched): Promise<void> {
  for (const jobId of jobIds) {
    expect(await service.ended(jobId), jobId).toMatchObject({ status: 'completed', attemptsMade: 1 });
  }
  expect(await service.get('/api/preview/dead-letter')).toMatchObject({ body: { total: 0 } });
  expect(await service.get('/readyz')).toMatchObject({ status: 200 });
}

/** A store that can be taken away and brought back, and the settings of a service that has it. */
interface Place {
  name: string;
  open(context: TestContext): Promise<{
    env: Record<string, string | undefined>;
    takeAway(service: Service): Promise<void>;
    bringBack(service: Service): Promise<void>;
  }>;
}

const folderOf = ({ dataDir }: Service): string => join(dataDir, 'store');
const folder = {
  async takeAway(service: Service) {
    await rename(folderOf(service), `${folderOf(service)}-away`);
    await writeFile(folderOf(service), 'no folder');
  },
  async bringBack(service: Service) {
    await rm(folderOf(service));
    await rename(`${folderOf(service)}-away`, folderOf(service));
  },
};

const IN_FOLDER: Place = {
  name: 'a folder, on the embedded queue',
  open: async () => ({ env: EMBEDDED, ...folder }),
};

const IN_BUCKET: Place = {
  name: 'a bucket, on the embedded queue',
  async open({ onTestFinished }) {
    process.env.AWS_ACCESS_KEY_ID = 'S3RVER';
    process.env.AWS_SECRET_ACCESS_KEY = 'S3RVER';
    const s3 = await startS3();
    onTestFinished(s3.stop);
    return {
      env: { ...EMBEDDED, STORE_URL: `s3://${TEST_BUCKET}/demo?endpoint=${s3.endpoint}` },
      takeAway: async () => s3.refuse(true),
      bringBack: async () => s3.refuse(false),
    };
  },
};

const ON_REDIS: Place = {
  name: 'a folder, on Redis',
  async open({ onTestFinished }) {
    const redis = await startRedis();
    onTestFinished(redis.stop);
    return { env: { REDIS_URL: redis.url }, ...folder };
  },
};

/**
 * The store, or the memory of Redis, is gone while jobs wait, and comes back after so many seconds. Without help a job
 * would have spent an attempt after one second, and all five after fifteen.
 */
export function storeAwaySuite(away: { jobs: number; storeSeconds: number; memorySeconds: number }): void {
  const { storeSeconds, memorySeconds } = away;
  const places = [
    { ...IN_FOLDER, jobs: away.jobs },
    // Each call of a bucket takes the test's own server a while.
    { ...IN_BUCKET, jobs: 20 },
    ...(hasRedis() ? [{ ...ON_REDIS, jobs: away.jobs }] : []),
  ];

  describe.concurrent('jobs that wait', () => {
    it.for(places)(
      `complete after their store was away for ${storeSeconds} s, without an attempt being spent: $name`,
      { timeout: 240_000 },
      async ({ open, jobs }, context) => {
        const { env, takeAway, bringBack } = await open(context);
        const watched = await startWithJobs(jobs, env, context);
        const { service, said } = watched;

        // A busy machine may have kept Redis from answering for a moment before.
        const [closed, opened] = [said(CLOSED), said(OPENED)];
        await takeAway(service);
        await sleep(SETTLED_SECONDS * 1000);
        const started = said('job started');
        expect(started).toBeLessThan(jobs);
        await sleep((storeSeconds - SETTLED_SECONDS) * 1000);
        expect(said('job started')).toBe(started);
        expect(said(CLOSED)).toBe(closed + 1);
        expect(await service.get('/readyz')).toMatchObject({ status: 503 });
        expect(await service.get('/api/preview/worker/health')).toMatchObject({
          status: 503,
          body: { checks: expect.arrayContaining([expect.objectContaining({ name: 'store', ok: false })]) },
        });

        await bringBack(service);
        await expectAllComplete(watched);
        expect(said(OPENED)).toBe(opened + 1);
      },
    );

    it.skipIf(!hasRedis())(
      `complete after Redis had no memory left for ${memorySeconds} s, without an attempt being spent`,
      { timeout: 240_000 },
      async (context) => {
        const redis = await startRedis();
        context.onTestFinished(redis.stop);
        const watched = await startWithJobs(away.jobs, { REDIS_URL: redis.url }, context);
        const { service, said } = watched;

        const closed = said(CLOSED);
        await redis.run('CONFIG', 'SET', 'maxmemory', '1mb');
        await sleep(SETTLED_SECONDS * 1000);
        expect(await service.get('/readyz')).toMatchObject({ status: 503 });
        expect(await service.post('/api/preview/job', smallJob('refused'))).toMatchObject({
          status: 503,
          body: { code: 'queue_unavailable' },
        });
        await sleep((memorySeconds - SETTLED_SECONDS) * 1000);
        expect(said(CLOSED)).toBe(closed + 1);

        await redis.run('CONFIG', 'SET', 'maxmemory', '0');
        await expectAllComplete(watched);
      },
    );
  });
}
