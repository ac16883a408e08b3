import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PreviewJob } from '../../../src/job/previewJob.types.ts';
import { createFsStore } from '../../../src/storage/folder/fsStore.ts';
import { eventually } from '../../support/eventually.ts';
import { sharedBackends, startQueueBackend } from '../../support/queueBackends.ts';
import { openQueueWorld, QUEUE_NAME, type QueueWorld, toldJob } from '../../support/queueWorld.ts';

const dryJob = (jobId: string, attempts: string[] = [], rest: Partial<PreviewJob> = {}): PreviewJob =>
  toldJob(jobId, attempts, { dryRun: true, ...rest });
const ref = (jobId: string) => ({ projectId: 'tests', jobId });

let queue: Awaited<ReturnType<typeof startQueueBackend>>;
let world: QueueWorld;
beforeAll(async () => {
  queue = await startQueueBackend(sharedBackends[0] ?? 'embedded');
  world = await openQueueWorld(queue.url);
  await world.startWorker();
});
afterAll(async () => {
  await world.close();
  await queue.stop();
});

it('a dry run is answered with its plan, its job and its history, and with the same when the queue has forgotten it', async () => {
  const job = dryJob('asked');
  await world.client.enqueue(job);
  const { plan, attemptsMade } = await world.reaches('asked', 'completed');
  expect(plan).toMatchObject({ durationSeconds: 3, parts: [{ kind: 'segment' }] });
  expect(attemptsMade).toBe(1);
  const jobs = world.backend.queue(QUEUE_NAME);
  await eventually(async () => {
    await jobs.clean(0, 100, 'completed');
    return (await jobs.getJob('tests~asked')) === undefined || undefined;
  }, 'the queue forgetting the job');
  await jobs.close();

  expect(await world.client.details(ref('asked'))).toMatchObject({ status: 'completed', plan, job });
  const { attempts, logs } = await world.client.history(ref('asked'));
  expect(attempts).toMatchObject([{ attempt: 1, outcome: 'completed' }]);
  expect(logs.map(({ msg }) => msg)).toEqual(['job started']);
  expect(await world.client.enqueue(job)).toMatchObject({ outcome: 'existing', status: { plan } });
  const other = dryJob('asked', ['other']);
  await expect(world.client.enqueue(other)).rejects.toMatchObject({ code: 'job_id_reused' });
  const listed = await world.client.list({ text: 'asked' }, { limit: 10 });
  expect(listed.jobs).toMatchObject([{ jobId: 'asked', status: 'completed' }]);
});

it('a dry run is kept in the store, where its record lives as long as that of a render', async () => {
  await world.client.enqueue(dryJob('kept'));
  await world.client.enqueue(toldJob('rendered'));
  await world.reaches('kept', 'completed');
  await world.reaches('rendered', 'completed');
  const store = await createFsStore(join(world.dataDir, 'store'));
  const ended: string[] = [];
  for await (const { jobId } of store.listEnded({ projectId: 'tests' })) ended.push(jobId);
  expect(ended).toEqual(expect.arrayContaining(['kept', 'rendered']));
  const record = await store.getRecord('tests', 'kept');
  expect(record).toMatchObject({ dryRun: true, status: 'completed', plan: { durationSeconds: 3 } });
  expect(record && JSON.parse(String(await store.readDetails(record)))).toMatchObject({
    job: dryJob('kept'),
  });
});

it('a dry run that fails is tried again, and is given up for what no attempt can mend', async () => {
  await world.client.enqueue(dryJob('tried', ['fail', 'done']));
  await world.client.enqueue(dryJob('broken', ['corrupt']));
  expect(await world.reaches('tried', 'completed')).toMatchObject({ attemptsMade: 2, plan: {} });
  expect(await world.reaches('broken', 'failed')).toMatchObject({ error: { code: 'asset_corrupt' } });
  expect((await world.client.history(ref('tried'))).attempts).toMatchObject([
    { attempt: 1, outcome: 'failed', error: { code: 'render_failed' } },
    { attempt: 2, outcome: 'completed' },
  ]);
});

it('a dry run that runs is stopped where it is cancelled, or a newer one takes its place', async () => {
  await world.client.enqueue(dryJob('endless', ['until stopped']));
  await world.reaches('endless', 'rendering');
  expect(await world.client.cancel(ref('endless'))).toMatchObject({ status: 'cancelled' });
  await world.client.enqueue(dryJob('older', ['until stopped'], { supersedes: 'storyboard' }));
  await world.reaches('older', 'rendering');
  await world.client.enqueue(dryJob('newer', [], { supersedes: 'storyboard' }));
  expect(await world.reaches('older', 'cancelled')).toMatchObject({ error: { code: 'superseded' } });
  await world.reaches('newer', 'completed');
  const jobs = world.backend.queue(QUEUE_NAME);
  await eventually(async () => (await jobs.getActiveCount()) === 0 || undefined, 'the end of all attempts');
  await jobs.close();
  expect(await world.client.status(ref('endless'))).toMatchObject({ status: 'cancelled' });
});
