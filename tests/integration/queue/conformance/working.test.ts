import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { queueId } from '../../../../src/queue/queuedJob.ts';
import { layoutOf } from '../../../../src/storage/folder/fsLayout.ts';
import { readHistory } from '../../../../src/worker/records/attemptHistory.ts';
import type { JobStatus } from '../../../../src/worker/records/jobStatus.ts';
import { eventually } from '../../../support/eventually.ts';
import { queueBackends, startQueueBackend } from '../../../support/queueBackends.ts';
import { openQueueWorld, QUEUE_NAME, type QueueWorld, toldJob } from '../../../support/queueWorld.ts';

/** A fifth of the service's; what a job gets by itself is in accepting.test.ts. */
const FIRST_PAUSE_MS = 200;

describe.each(queueBackends)('the worker on the %s queue', (name) => {
  let queue: Awaited<ReturnType<typeof startQueueBackend>>;
  let world: QueueWorld;

  beforeAll(async () => {
    queue = await startQueueBackend(name);
    world = await openQueueWorld(queue.url, { firstPauseMs: FIRST_PAUSE_MS });
    await world.startWorker();
  });

  afterAll(async () => {
    await world.close();
    await queue.stop();
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
    const { values } = await world.metrics.jobsTotal.get();
    expect(values.find(({ labels }) => labels.outcome === 'cancelled')?.value).toBeGreaterThanOrEqual(1);
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
});

describe.each(queueBackends)('starting and stopping a worker on the %s queue', (name) => {
  let queue: Awaited<ReturnType<typeof startQueueBackend>>;
  let first: QueueWorld;
  let world: QueueWorld;

  beforeAll(async () => {
    queue = await startQueueBackend(name);
    first = await openQueueWorld(queue.url);
  });

  afterAll(async () => {
    await first.close();
    await queue.stop();
  });

  beforeEach(async () => {
    world = await openQueueWorld(queue.url, { backend: first.backend });
  });

  afterEach(() => world.close());

  it('takes an urgent job that failed before others that wait, but not before its pause is over', async () => {
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
    const sent = await Promise.allSettled(
      Array.from({ length: 30 }, (_, i) => world.client.enqueue(toldJob(`many-${i}`))),
    );
    const accepted = sent.filter((answer) => answer.status === 'fulfilled').map(({ value }) => value);
    expect(accepted).toHaveLength(20);
    await world.startWorker();
    for (const { status } of accepted) await world.reaches(status.jobId, 'completed');
  });

  it('tries again what ran past its deadline', async () => {
    await world.startWorker({ jobTimeoutSeconds: 2 });
    // By now its render process has been started.
    await world.client.enqueue(toldJob('quick'));
    await world.reaches('quick', 'completed');
    await world.client.enqueue(toldJob('slow-once', ['spin', 'done']));
    expect(await world.reaches('slow-once', 'completed')).toMatchObject({ attemptsMade: 2 });
  });

  it('gives a job back whose record cannot be read, and says that the store was at fault', async () => {
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
});

const byEnd = (a: JobStatus, b: JobStatus): number => (a.finishedAt ?? '').localeCompare(b.finishedAt ?? '');

async function active({ client }: QueueWorld): Promise<number> {
  const { counts } = await client.queueMetrics();
  return counts.active ?? 0;
}
