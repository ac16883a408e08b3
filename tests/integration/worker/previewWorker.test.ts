import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { queueId } from '../../../src/queue/queuedJob.ts';
import { layoutOf } from '../../../src/storage/folder/fsLayout.ts';
import { readHistory } from '../../../src/worker/records/attemptHistory.ts';
import type { JobStatus } from '../../../src/worker/records/jobStatus.ts';
import { eventually } from '../../support/eventually.ts';
import { queueBackends, startQueueBackend } from '../../support/queueBackends.ts';
import { openQueueWorld, QUEUE_NAME, type QueueWorld, toldJob } from '../../support/queueWorld.ts';

describe.each(queueBackends)('the worker on the %s queue', (name) => {
  let queue: Awaited<ReturnType<typeof startQueueBackend>>;
  let world: QueueWorld;

  beforeAll(async () => {
    queue = await startQueueBackend(name);
    world = await openQueueWorld(queue.url);
    await world.startWorker({ concurrency: 4 });
    // Its attempts take 15 s, so they run beside everything else.
    await world.client.enqueue(toldJob('hopeless', Array(9).fill('fail')));
  });

  afterAll(async () => {
    await world.close();
    await queue.stop();
  });

  it('takes a job and leaves its artifacts', async () => {
    await world.client.enqueue(toldJob('good'));
    expect(await world.reaches('good', 'completed')).toMatchObject({
      requestId: 'request-good',
      attemptsMade: 1,
      progress: { percent: 100, stage: 'done' },
    });
    expect(await world.client.artifacts({ jobId: 'good' })).toMatchObject([{ name: 'preview.mp4' }]);
  });

  it('tries again after a failure and after a crash, a while apart', async () => {
    const sent = Date.now();
    await world.client.enqueue(toldJob('third-time', ['fail', 'crash', 'done']));
    await world.reaches('third-time', 'retrying');
    expect(await world.reaches('third-time', 'completed')).toMatchObject({ attemptsMade: 3 });
    expect(Date.now() - sent).toBeGreaterThanOrEqual(3000);
  });

  it('does not try again what can never succeed', async () => {
    await world.client.enqueue(toldJob('broken', ['corrupt', 'done']));
    expect(await world.reaches('broken', 'failed')).toMatchObject({
      attemptsMade: 1,
      error: { code: 'asset_corrupt', message: 'The picture is broken.' },
    });
    expect(await world.begun('broken')).toBe(1);
    await expect(world.client.artifacts({ jobId: 'broken' })).rejects.toMatchObject({
      code: 'no_artifacts',
    });
  });

  it('refuses what something else than the client put into the queue', async () => {
    const raw = world.backend.queue(QUEUE_NAME);
    await raw.add('render', { job: { surprise: true } }, { jobId: 'tests~foreign', attempts: 5 });
    expect(await world.reaches('foreign', 'failed')).toMatchObject({
      attemptsMade: 1,
      error: { code: 'invalid_payload', message: expect.stringContaining('/jobId') },
    });
  });

  it('shows how far a running job is', async () => {
    await world.client.enqueue(toldJob('halfway', ['half']));
    const status = await eventually(async () => {
      const now = await world.client.status({ jobId: 'halfway' });
      return now.progress.percent === 50 ? now : undefined;
    }, 'progress');
    expect(status).toMatchObject({ status: 'rendering', progress: { percent: 50, stage: 'segments' } });
    await world.client.cancel({ jobId: 'halfway' });
  });

  it('stops a cancelled job within a second or so, even in the middle of native code', async () => {
    await world.client.enqueue(toldJob('endless', ['spin']));
    await eventually(async () => (await world.begun('endless')) || undefined, 'the start of the job');
    expect(await world.client.cancel({ jobId: 'endless' })).toMatchObject({ status: 'cancelled' });
    await eventually(async () => ((await active(world)) === 0 ? true : undefined), 'the end of the job', 3);
    expect(await world.client.status({ jobId: 'endless' })).toMatchObject({ status: 'cancelled' });
  });

  it('does not cancel what has ended', async () => {
    await world.client.enqueue(toldJob('over'));
    await world.reaches('over', 'completed');
    await expect(world.client.cancel({ jobId: 'over' })).rejects.toMatchObject({
      code: 'job_already_finished',
    });
  });

  it('knows how a job ended after the queue has forgotten it, and does not render it again', async () => {
    const job = toldJob('remembered');
    await world.client.enqueue(job);
    await world.reaches('remembered', 'completed');
    const raw = world.backend.queue(QUEUE_NAME);
    await eventually(async () => {
      await (await raw.getJob('tests~remembered'))?.remove().catch(() => undefined);
      return (await raw.getJob('tests~remembered')) ? undefined : true;
    }, 'the removal');
    expect(await world.client.status({ jobId: 'remembered' })).toMatchObject({ status: 'completed' });
    expect(await world.client.enqueue(job)).toMatchObject({ outcome: 'existing' });
    await expect(world.client.enqueue(toldJob('remembered', ['fail']))).rejects.toMatchObject({
      code: 'job_id_reused',
    });
    expect(await world.begun('remembered')).toBe(1);
  });

  it('renders nothing for a job that has a record, however often the queue hands it out', async () => {
    await world.client.enqueue(toldJob('again'));
    await world.reaches('again', 'completed');
    const raw = world.backend.queue(QUEUE_NAME);
    const { data } = (await raw.getJob('tests~again')) ?? {};
    const second = await raw.add('render', data, { jobId: 'tests~again-handed-out' });
    await eventually(async () => ((await second.isCompleted()) ? true : undefined), 'the second hand-out');
    expect(await world.begun('again')).toBe(1);
  });

  it('gives up after five attempts, and says why', async () => {
    const ended = await world.reaches('hopeless', 'failed', 25);
    expect(ended).toMatchObject({ attemptsMade: 5, error: { code: 'render_failed' } });
    expect(await world.begun('hopeless')).toBe(5);
  });

  it('counts how jobs ended', async () => {
    const counted = await world.metrics.jobsTotal.get();
    const byOutcome = Object.fromEntries(counted.values.map(({ labels, value }) => [labels.outcome, value]));
    expect(byOutcome).toMatchObject({ invalid: 1, cancelled: 2 });
    expect(byOutcome.success).toBeGreaterThanOrEqual(4);
    expect(byOutcome.retry).toBeGreaterThanOrEqual(6);
    expect(byOutcome.failure).toBe(2);
  });
});

describe.each(queueBackends)('starting and stopping a worker on the %s queue', (name) => {
  let queue: Awaited<ReturnType<typeof startQueueBackend>>;
  let world: QueueWorld;

  beforeAll(async () => {
    queue = await startQueueBackend(name);
  });

  afterAll(() => queue.stop());

  afterEach(() => world.close());

  it('takes the most urgent job first, then the oldest', async () => {
    world = await openQueueWorld(queue.url);
    const order = ['low', 'normal', 'high'] as const;
    for (const priority of order) {
      await world.client.enqueue(toldJob(`${priority}-1`, [], { priority }));
      await world.client.enqueue(toldJob(`${priority}-2`, [], { priority }));
    }
    await world.startWorker({ concurrency: 1 });
    const ids = ['high-1', 'high-2', 'normal-1', 'normal-2', 'low-1', 'low-2'];
    const ended = await Promise.all(ids.map((id) => world.reaches(id, 'completed')));
    const finished = ended.map(({ finishedAt }) => finishedAt ?? '');
    expect(finished).toEqual([...finished].sort());
  });

  it('takes an urgent job that failed before others that wait, but not before its pause is over', async () => {
    world = await openQueueWorld(queue.url);
    await world.client.enqueue(toldJob('urgent', ['fail', 'done'], { priority: 'high' }));
    const waiting = Array.from({ length: 4 }, (_, i) => `patient-${i}`);
    for (const jobId of waiting) await world.client.enqueue(toldJob(jobId, ['slow'], { priority: 'low' }));
    await world.startWorker({ concurrency: 1 });
    const ended = await Promise.all(['urgent', ...waiting].map((id) => world.reaches(id, 'completed')));
    const order = ended.sort(byEnd).map(({ jobId }) => jobId);
    // The pause is a second, and each of the others takes one.
    expect(order[0]).toBe('patient-0');
    expect(order.indexOf('urgent')).toBeLessThan(3);
    expect(order.filter((id) => id !== 'urgent')).toEqual(waiting);
  });

  it('loses nothing that was accepted before there was a worker', async () => {
    world = await openQueueWorld(queue.url);
    const sent = await Promise.allSettled(
      Array.from({ length: 30 }, (_, i) => world.client.enqueue(toldJob(`many-${i}`))),
    );
    const accepted = sent.filter((answer) => answer.status === 'fulfilled').map(({ value }) => value);
    expect(accepted).toHaveLength(20);
    await world.startWorker();
    for (const { status } of accepted) await world.reaches(status.jobId, 'completed');
  });

  it('tries again what ran past its deadline', async () => {
    world = await openQueueWorld(queue.url);
    // Long enough for a render process that has yet to be started on a busy machine.
    await world.startWorker({ jobTimeoutSeconds: 4 });
    await world.client.enqueue(toldJob('slow-once', ['spin', 'done']));
    expect(await world.reaches('slow-once', 'completed')).toMatchObject({ attemptsMade: 2 });
  });

  it('gives a running job back when it stops, and no attempt is lost', async () => {
    world = await openQueueWorld(queue.url);
    const first = await world.startWorker({ shutdownGraceSeconds: 3 });
    await world.client.enqueue(toldJob('given-back', ['spin', 'done']));
    await eventually(async () => (await world.begun('given-back')) || undefined, 'the start of the job');
    const started = Date.now();
    await first.stop();
    expect(Date.now() - started).toBeLessThan(3000);
    expect(await world.client.status({ jobId: 'given-back' })).toMatchObject({
      status: 'queued',
      attemptsMade: 0,
    });
    await world.startWorker();
    expect(await world.reaches('given-back', 'completed')).toMatchObject({ attemptsMade: 1 });
  });

  it('gives a job back whose record cannot be read, and says that the store was at fault', async () => {
    world = await openQueueWorld(queue.url);
    const job = toldJob('unreadable');
    const { recordPath } = layoutOf(join(world.dataDir, 'store'));
    await world.client.enqueue(job);
    await mkdir(recordPath('tests', 'unreadable'), { recursive: true });
    await world.startWorker();
    const raw = world.backend.queue(QUEUE_NAME);
    await eventually(async () => {
      const { logs } = await raw.getJobLogs(queueId(job));
      return readHistory(logs).filter(({ outcome }) => outcome === 'givenBack').length >= 2 || undefined;
    }, 'being given back twice');
    const { logs } = await raw.getJobLogs(queueId(job));
    expect(readHistory(logs)[0]).toMatchObject({ attempt: 1, error: { code: 'store_unavailable' } });
    // The disk is well again: nothing is lost.
    await rm(recordPath('tests', 'unreadable'), { recursive: true });
    expect(await world.reaches('unreadable', 'completed')).toMatchObject({ attemptsMade: 1 });
    expect(await world.begun('unreadable')).toBe(1);
  });

  it('finishes a running job within the grace', async () => {
    world = await openQueueWorld(queue.url);
    const worker = await world.startWorker({ shutdownGraceSeconds: 20 });
    await world.client.enqueue(toldJob('last', ['until told']));
    await eventually(async () => (await world.begun('last')) || undefined, 'the start of the job');
    const stopped = worker.stop();
    await world.tell('last');
    await stopped;
    expect(await world.client.status({ jobId: 'last' })).toMatchObject({
      status: 'completed',
      attemptsMade: 1,
    });
  });
});

const byEnd = (a: JobStatus, b: JobStatus): number => (a.finishedAt ?? '').localeCompare(b.finishedAt ?? '');

async function active({ client }: QueueWorld): Promise<number> {
  const { counts } = await client.queueMetrics();
  return counts.active ?? 0;
}
