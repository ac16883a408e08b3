import { stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { queueId } from '../../../../src/queue/queuedJob.ts';
import { layoutOf } from '../../../../src/storage/folder/fsLayout.ts';
import { queueBackends, startQueueBackend } from '../../../support/queueBackends.ts';
import { openQueueWorld, QUEUE_NAME, type QueueWorld, toldJob } from '../../../support/queueWorld.ts';

describe.each(queueBackends)('the client on the %s queue', (name) => {
  let queue: Awaited<ReturnType<typeof startQueueBackend>>;
  let world: QueueWorld;

  beforeAll(async () => {
    queue = await startQueueBackend(name);
    world = await openQueueWorld(queue.url);
  });

  afterAll(async () => {
    await world.close();
    await queue.stop();
  });

  beforeEach(() => world.backend.queue(QUEUE_NAME).obliterate({ force: true }));

  it('accepts one of fifty equal jobs sent at once, although only twenty may wait', async () => {
    const job = toldJob('fifty');
    const sent = await Promise.all(Array.from({ length: 50 }, () => world.client.enqueue(job)));
    expect(sent.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(1);
    expect(sent.filter(({ outcome }) => outcome === 'existing')).toHaveLength(49);
    expect(await world.client.queueMetrics()).toMatchObject({ waiting: 1 });
  });

  it('accepts one of many equal jobs sent by two programs at once', async () => {
    const other = await openQueueWorld(queue.url, { dataDir: world.dataDir }).catch(() => undefined);
    // Only one process may have the embedded queue; there the second program is a second client of the first.
    const clients = [world.client, (other ?? world).client];
    const sent = await Promise.all(
      Array.from({ length: 20 }, (_, i) => clients[i % 2]?.enqueue(toldJob('two-programs'))),
    );
    expect(sent.filter((answer) => answer?.outcome === 'accepted')).toHaveLength(1);
    await other?.close();
  });

  it('refuses the id of a waiting job for a different job', async () => {
    await world.client.enqueue(toldJob('reused'));
    await expect(world.client.enqueue(toldJob('reused', ['fail']))).rejects.toMatchObject({
      code: 'job_id_reused',
    });
  });

  it('accepts twenty of thirty jobs sent at once, and tells the others when to come again', async () => {
    const sent = await Promise.allSettled(
      Array.from({ length: 30 }, (_, i) => world.client.enqueue(toldJob(`flood-${i}`))),
    );
    const refused = sent.filter((answer) => answer.status === 'rejected');
    expect(sent.filter((answer) => answer.status === 'fulfilled')).toHaveLength(20);
    expect(refused).toHaveLength(10);
    for (const { reason } of refused) {
      expect(reason).toMatchObject({ code: 'queue_full' });
      expect(reason.retryAfterSeconds).toBeGreaterThanOrEqual(1);
      expect(reason.retryAfterSeconds).toBeLessThanOrEqual(60);
    }
    expect(await world.client.queueMetrics()).toMatchObject({ waiting: 20, limit: 20 });
  });

  it('knows a job that waits in a full queue when it is sent again', async () => {
    const jobs = Array.from({ length: 20 }, (_, i) => toldJob(`full-${i}`));
    for (const job of jobs) await world.client.enqueue(job);
    const again = await Promise.all(jobs.map((job) => world.client.enqueue(job)));
    expect(again.every(({ outcome }) => outcome === 'existing')).toBe(true);
  });

  it('takes a job again where a place has become free', async () => {
    for (let i = 0; i < 20; i++) await world.client.enqueue(toldJob(`place-${i}`));
    await expect(world.client.enqueue(toldJob('one-more'))).rejects.toMatchObject({ code: 'queue_full' });
    await world.client.cancel({ projectId: 'tests', jobId: 'place-3' });
    expect(await world.client.enqueue(toldJob('one-more'))).toMatchObject({ outcome: 'accepted' });
  });

  it('hands the job to the queue with the options of the contract', async () => {
    const job = toldJob('options', [], { priority: 'high' });
    await world.client.enqueue(job);
    const queued = await world.backend.queue(QUEUE_NAME).getJob(queueId(job));
    expect(queued?.opts).toMatchObject({
      attempts: 5,
      backoff: { type: 'exponential', delay: 1000 },
      removeOnComplete: { age: 3600, count: 100 },
      removeOnFail: { age: 86_400, count: 100 },
      priority: 1,
    });
  });

  it('finds a job by its id alone, and asks for the project where two have it', async () => {
    await world.client.enqueue(toldJob('shared'));
    expect(await world.client.status({ jobId: 'shared' })).toMatchObject({
      projectId: 'tests',
      status: 'queued',
    });
    await world.client.enqueue(toldJob('shared', [], { projectId: 'others' }));
    await expect(world.client.status({ jobId: 'shared' })).rejects.toMatchObject({ code: 'ambiguous_job' });
    expect(await world.client.status({ jobId: 'shared', projectId: 'others' })).toMatchObject({
      projectId: 'others',
    });
  });

  it('finds any of many jobs by its id alone', async () => {
    for (let i = 0; i < 5; i++) await world.client.enqueue(toldJob(`one-of-five-${i}`));
    for (let i = 0; i < 5; i++) {
      expect(await world.client.status({ jobId: `one-of-five-${i}` })).toMatchObject({ status: 'queued' });
    }
  });

  it('says that the uploads of a job are used, so that garbage collection leaves them', async () => {
    const upload = await world.store.putObject(Buffer.from('an old photo'));
    const path = layoutOf(join(world.dataDir, 'store')).objectPath(upload.sha256);
    await utimes(path, 1, 1);
    const { previewRequest } = toldJob('with-upload');
    const assets = [{ id: 'photo', type: 'image' as const, upload: upload.sha256 }];
    const sent = Date.now();
    await world.client.enqueue(toldJob('with-upload', [], { previewRequest: { ...previewRequest, assets } }));
    expect((await stat(path)).mtimeMs).toBeGreaterThan(sent - 1000);
  });

  it('does not know a job that was never sent', async () => {
    await expect(world.client.status({ jobId: 'nowhere' })).rejects.toMatchObject({ code: 'job_not_found' });
    await expect(world.client.cancel({ jobId: 'nowhere' })).rejects.toMatchObject({ code: 'job_not_found' });
    await expect(world.client.artifacts({ jobId: 'nowhere' })).rejects.toMatchObject({
      code: 'job_not_found',
    });
  });

  it('has no artifacts of a job that waits', async () => {
    await world.client.enqueue(toldJob('early'));
    await expect(world.client.artifacts({ jobId: 'early' })).rejects.toMatchObject({
      code: 'job_not_finished',
    });
  });

  it('takes a cancelled job out of the queue, once and for all', async () => {
    const job = toldJob('unwanted');
    await world.client.enqueue(job);
    expect(await world.client.cancel({ jobId: 'unwanted' })).toMatchObject({ status: 'cancelled' });
    expect(await world.client.queueMetrics()).toMatchObject({ waiting: 0 });
    expect(await world.client.cancel({ jobId: 'unwanted' })).toMatchObject({ status: 'cancelled' });
    expect(await world.client.enqueue(job)).toMatchObject({
      outcome: 'existing',
      status: { status: 'cancelled' },
    });
    await expect(world.client.artifacts({ jobId: 'unwanted' })).rejects.toMatchObject({
      code: 'no_artifacts',
    });
  });

  it('says how many jobs wait and for how long, whatever their priority', async () => {
    await world.client.enqueue(toldJob('oldest', [], { priority: 'low' }));
    const since = Date.now();
    await world.client.enqueue(toldJob('newer', [], { priority: 'high' }));
    const { waiting, counts, total, oldestWaitingAgeSeconds } = await world.client.queueMetrics();
    const { timestamp = 0 } = (await world.backend.queue(QUEUE_NAME).getJob('tests~oldest')) ?? {};
    expect({ waiting, prioritized: counts.prioritized, total }).toEqual({
      waiting: 2,
      prioritized: 2,
      total: 2,
    });
    expect(timestamp).toBeLessThanOrEqual(since);
    expect(oldestWaitingAgeSeconds).toBeGreaterThanOrEqual((since - timestamp) / 1000);
  });

  it('measures an empty queue as empty', async () => {
    expect(await world.client.queueMetrics()).toMatchObject({ waiting: 0, oldestWaitingAgeSeconds: 0 });
  });
});
