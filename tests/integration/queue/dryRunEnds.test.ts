import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JobRecord } from '../../../src/job/jobRecord.ts';
import { createLogger } from '../../../src/logger.ts';
import { withDryRunEnds } from '../../../src/queue/dryRunEnds.ts';
import { openQueueBackend, type QueueBackend } from '../../../src/queue/queueBackend.ts';
import type { ArtifactStore } from '../../../src/storage/artifactStore.ts';
import { createFsStore } from '../../../src/storage/folder/fsStore.ts';
import { eventually } from '../../support/eventually.ts';
import { processFile } from '../../support/processes.ts';
import { openQueueWorld, QUEUE_NAME, type QueueWorld, toldJob } from '../../support/queueWorld.ts';
import { hasRedis, startRedis, type TestRedis } from '../../support/redis.ts';
import { recordOf } from '../storage/storeSuite.ts';

const logger = createLogger('silent');
/** When a record was accepted, so many milliseconds ago. */
const ago = (milliseconds: number): string => new Date(Date.now() - milliseconds).toISOString();
const endOf = (jobId: string, parts: Partial<JobRecord> = {}): JobRecord =>
  recordOf({ jobId, dryRun: true, createdAt: ago(1000), ...parts });
const DAY_MS = 86_400_000;
const WORKER_PROCESS = processFile('workerProcess');

describe.runIf(hasRedis())('the end of a dry run, where the queue is on Redis', () => {
  let redis: TestRedis;
  let folder: string;
  let disk: ArtifactStore;
  let backends: QueueBackend[];
  /** Two processes' views of the same. */
  let store: ArtifactStore;
  let other: ArtifactStore;

  beforeEach(async () => {
    redis = await startRedis();
    folder = await mkdtemp(join(tmpdir(), 'preview-ends-'));
    disk = await createFsStore(folder);
    backends = await Promise.all(
      [1, 2].map(() => openQueueBackend({ url: redis.url, dataDir: folder, logger })),
    );
    [store, other] = backends.map((backend) => withDryRunEnds(disk, backend, QUEUE_NAME)) as [
      ArtifactStore,
      ArtifactStore,
    ];
  });
  afterEach(async () => {
    for (const backend of backends) await backend.close();
    await redis.stop();
    await rm(folder, { recursive: true });
  });

  const connection = () => {
    const { redis: connections } = backends[0] as QueueBackend;
    if (!connections) throw new Error('the queue is on Redis');
    return connections.producer;
  };
  const listed = async (from: ArtifactStore, options: Parameters<ArtifactStore['listEnded']>[0] = {}) => {
    const ids: string[] = [];
    for await (const { jobId } of from.listEnded(options)) ids.push(jobId);
    return ids;
  };

  it('is found by every process, with its details, and leaves nothing on the disk', async () => {
    const end = endOf('dry', { details: { sha256: 'a'.repeat(64), bytes: 2 } });
    expect(await store.putRecord(end, Buffer.from('{"job":"é\\n"}'))).toEqual(end);
    expect(await other.getRecord('docs', 'dry')).toEqual(end);
    expect(String(await other.readDetails(end))).toBe('{"job":"é\\n"}');
    expect(await other.findRecords('dry')).toEqual([end]);
    expect(await disk.getRecord('docs', 'dry')).toBeUndefined();
    expect(await listed(disk)).toEqual([]);
  });

  it('is written once: the first one stands, of whichever process', async () => {
    const ends = Array.from({ length: 20 }, (_, i) => endOf('race', { requestId: `r-${i}` }));
    const standing = await Promise.all(ends.map((end, i) => (i % 2 ? store : other).putRecord(end)));
    expect(new Set(standing.map(({ requestId }) => requestId)).size).toBe(1);
    const cancelled = await other.putRecord(endOf('race', { status: 'cancelled' }));
    expect(cancelled.status).toBe('completed');
  });

  it('is removed where it is still that one', async () => {
    const end = endOf('again');
    await store.putRecord(end);
    await store.removeRecord({ ...end, finishedAt: ago(0) });
    expect(await other.getRecord('docs', 'again')).toEqual(end);
    await store.removeRecord(end);
    expect(await other.getRecord('docs', 'again')).toBeUndefined();
    expect(await listed(other)).toEqual([]);
    expect(await other.findRecords('again')).toEqual([]);
    const next = endOf('again', { status: 'cancelled' });
    expect(await store.putRecord(next)).toEqual(next);
  });

  it('is told of by its id alone, of every project that has it', async () => {
    for (const projectId of ['docs', 'docs-2', 'shop']) await store.putRecord(endOf('same', { projectId }));
    await store.putRecord(endOf('same-not'));
    await store.putRecord(endOf('sam'));
    const found = await other.findRecords('same');
    expect(found.map(({ projectId }) => projectId).sort()).toEqual(['docs', 'docs-2', 'shop']);
  });

  it('is listed among the renders, the newest first, from any place on', async () => {
    for (let i = 0; i < 6; i++) {
      await store.putRecord(endOf(`job-${i}`, { dryRun: i % 2 === 0, createdAt: ago(10_000 - i) }));
    }
    await store.putRecord(endOf('elsewhere', { projectId: 'shop', createdAt: ago(20_000) }));
    const all = ['job-5', 'job-4', 'job-3', 'job-2', 'job-1', 'job-0'];
    expect(await listed(other)).toEqual([...all, 'elsewhere']);
    expect(await listed(other, { projectId: 'docs' })).toEqual(all);
    const places = [];
    for await (const entry of other.listEnded({ projectId: 'docs' })) places.push(entry);
    for (const [i, after] of places.entries())
      expect(await listed(other, { projectId: 'docs', after })).toEqual(all.slice(i + 1));
    expect(places[1]).toMatchObject({ jobId: 'job-4', status: 'completed', priority: 'normal' });
  });

  it('is listed in full, also where more were accepted in one millisecond than are read at a time', async () => {
    const createdAt = ago(5000);
    const names = Array.from({ length: 1300 }, (_, i) => `job-${String(i).padStart(4, '0')}`);
    await Promise.all(names.map((jobId) => store.putRecord(endOf(jobId, { createdAt }))));
    expect(await listed(other)).toEqual(names);
  });

  it('goes after a day when others come, and all of them when none do', async () => {
    await store.putRecord(endOf('old', { createdAt: ago(DAY_MS + 1000) }));
    await store.putRecord(endOf('young', { createdAt: ago(DAY_MS - 60_000) }));
    // A process that began a while ago looks once a minute.
    await store.putRecord(endOf('new'));
    await eventually(async () => ((await listed(other)).includes('old') ? undefined : true), 'the sweep');
    expect(await listed(other)).toEqual(['new', 'young']);
    expect(await other.getRecord('docs', 'old')).toBeUndefined();
    expect(await other.findRecords('old')).toEqual([]);
    const keys = await connection().keys(`${QUEUE_NAME}:dry-runs:*`);
    expect(keys).toHaveLength(2);
    for (const key of keys) expect(await connection().ttl(key)).toBeGreaterThan(86_000);
  });

  it('goes where there is no room for all, the oldest first', async () => {
    const large = Buffer.alloc(4 << 20, 'x');
    for (let i = 0; i < 20; i++)
      await store.putRecord(endOf(`job-${i}`, { createdAt: ago(1000 - i) }), large);
    const kept = Array.from({ length: 15 }, (_, i) => `job-${19 - i}`);
    await eventually(async () => ((await listed(other)).length === kept.length ? true : undefined), 'room');
    expect(await listed(other)).toEqual(kept);
    const key = `${QUEUE_NAME}:dry-runs:records`;
    const { '~': bytes, ...values } = await connection().hgetall(key);
    const sum = Object.values(values).reduce((all, value) => all + Buffer.byteLength(value), 0);
    expect(Number(bytes)).toBe(sum);
    expect(sum).toBeLessThanOrEqual(64 << 20);
  });

  it('goes to the disk where Redis takes nothing more', async () => {
    await connection().config('SET', 'maxmemory', '1');
    const end = endOf('full', { details: { sha256: '', bytes: 0 } });
    await store.putRecord(end, Buffer.from('{}'));
    expect(await disk.getRecord('docs', 'full')).toEqual(end);
    expect(await other.getRecord('docs', 'full')).toEqual(end);
  });

  it('stays on the disk where a webhook tells of it, as that of a render does', async () => {
    const told = endOf('told', { webhook: { id: 'w', url: 'https://receiver.test' } });
    const made = endOf('made', { dryRun: false });
    for (const end of [told, made]) {
      await store.putRecord(end);
      expect(await disk.getRecord('docs', end.jobId)).toEqual(end);
      expect(await other.getRecord('docs', end.jobId)).toEqual(end);
    }
    expect(await connection().keys(`${QUEUE_NAME}:dry-runs:*`)).toEqual([]);
  });

  it('is refused at once while Redis is away, and renders are still told of', async () => {
    await store.putRecord(endOf('made', { dryRun: false }));
    await redis.kill();
    await expect(store.putRecord(endOf('dry'))).rejects.toMatchObject({ code: 'queue_unavailable' });
    await expect(store.getRecord('docs', 'dry')).rejects.toMatchObject({ code: 'queue_unavailable' });
    expect(await store.getRecord('docs', 'made')).toMatchObject({ jobId: 'made' });
    await redis.restart();
  });
});

describe.runIf(hasRedis())('a dry run on Redis', () => {
  let redis: TestRedis;
  let world: QueueWorld;
  beforeEach(async () => {
    redis = await startRedis();
    world = await openQueueWorld(redis.url);
  });
  afterEach(async () => {
    await world.close();
    await redis.stop();
  });

  const dryJob = (jobId: string) => toldJob(jobId, [], { dryRun: true });
  const ref = (jobId: string) => ({ projectId: 'tests', jobId });

  it('is answered with its plan, its job and its history, also after the queue has forgotten it', async () => {
    await world.startWorker();
    await world.client.enqueue(dryJob('asked'));
    const { plan } = await world.reaches('asked', 'completed');
    expect(plan?.parts.length).toBeGreaterThan(0);
    const queue = world.backend.queue(QUEUE_NAME);
    await queue.obliterate({ force: true });
    await queue.close();
    expect(await world.client.details(ref('asked'))).toMatchObject({ status: 'completed', plan, job: {} });
    const { attempts, logs } = await world.client.history(ref('asked'));
    expect(attempts).toMatchObject([{ attempt: 1, outcome: 'completed' }]);
    expect(logs).toEqual([]);
    expect(await world.client.enqueue(dryJob('asked'))).toMatchObject({ outcome: 'existing' });
    await expect(
      world.client.enqueue({
        ...dryJob('asked'),
        previewRequest: { ...dryJob('asked').previewRequest, title: 'Other' },
      }),
    ).rejects.toMatchObject({ code: 'job_id_reused' });
    const { jobs } = await world.client.list({}, { limit: 10 });
    expect(jobs).toMatchObject([{ jobId: 'asked', status: 'completed' }]);
  });

  it('has its end before the queue says that it is over', async () => {
    await world.startWorker({ concurrency: 4 });
    const queue = world.backend.queue(QUEUE_NAME);
    await queue.pause();
    const ids = Array.from({ length: 15 }, (_, i) => `dry-${i}`);
    for (const jobId of ids) await world.client.enqueue(dryJob(jobId));
    const early: string[] = [];
    const watching = world.backend.watch(QUEUE_NAME, (queueId) => {
      void queue.getJob(queueId).then(async (job) => {
        const [, jobId = ''] = queueId.split('~');
        if ((await job?.getState()) !== 'completed') return;
        if (!(await world.store.getRecord('tests', jobId))) early.push(jobId);
      });
    });
    await queue.resume();
    for (const jobId of ids) await world.reaches(jobId, 'completed');
    expect(early).toEqual([]);
    await watching.close();
    await queue.close();
  });

  it('is never over without its end, whenever a worker dies', { timeout: 120_000 }, async () => {
    const queue = world.backend.queue(QUEUE_NAME);
    const ids = Array.from({ length: 400 }, (_, i) => `dry-${i}`);
    const wide = await openQueueWorld(redis.url, { dataDir: world.dataDir, queueMax: 1000 });
    await Promise.all(ids.map((jobId) => wide.client.enqueue(dryJob(jobId))));
    await wide.close();
    const ended = async (): Promise<number> => {
      let count = 0;
      for await (const _ of world.store.listEnded({})) count++;
      return count;
    };
    for (let kill = 1; kill <= 4; kill++) {
      const before = await ended();
      const worker = fork(WORKER_PROCESS, [redis.url, world.dataDir]);
      await eventually(async () => ((await ended()) > before + 10 ? true : undefined), 'some ends');
      const gone = new Promise((resolve) => worker.once('exit', resolve));
      worker.kill('SIGKILL');
      await gone;
      for (const { id } of await queue.getJobs(['completed'], 0, 99)) {
        const [projectId = '', jobId = ''] = String(id).split('~');
        expect(await world.store.getRecord(projectId, jobId), jobId).toMatchObject({ status: 'completed' });
      }
    }
    await world.startWorker();
    // What a killed worker had is taken up when its lock has run out.
    await eventually(async () => ((await ended()) === ids.length ? true : undefined), 'all ends', 40);
    const counts = await queue.getJobCounts('prioritized', 'waiting', 'delayed', 'failed');
    expect(counts).toEqual({ prioritized: 0, waiting: 0, delayed: 0, failed: 0 });
    for (const jobId of ids)
      expect((await world.store.getRecord('tests', jobId))?.plan?.parts.length).toBeGreaterThan(0);
    await queue.close();
  });

  it('that is cancelled while it waits stays cancelled', async () => {
    await world.client.enqueue(dryJob('late'));
    expect((await world.client.cancel(ref('late'))).status).toBe('cancelled');
    // As if a worker had taken it at that moment.
    const queue = world.backend.queue(QUEUE_NAME);
    const job = dryJob('late');
    await queue.add('render', { job, submission: '', acceptedAt: ago(0) }, { jobId: 'tests~late' });
    await world.startWorker();
    await world.reaches('late', 'cancelled');
    await queue.close();
  });
});
