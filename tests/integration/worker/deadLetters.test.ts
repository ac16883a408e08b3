import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Job, UnrecoverableError } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobRecord } from '../../../src/job/jobRecord.ts';
import { deadQueueName, type QueuedJob, queueId } from '../../../src/queue/queuedJob.ts';
import { layoutOf } from '../../../src/storage/folder/fsLayout.ts';
import type { StoredLetter } from '../../../src/worker/deadLetters/deadLetter.ts';
import { eventually } from '../../support/eventually.ts';
import { anyBackend, startQueueBackend } from '../../support/queueBackends.ts';
import { openQueueWorld, QUEUE_NAME, type QueueWorld, toldJob } from '../../support/queueWorld.ts';

describe('dead letters', () => {
  let queue: Awaited<ReturnType<typeof startQueueBackend>>;
  let world: QueueWorld;

  beforeAll(async () => {
    queue = await startQueueBackend(anyBackend);
    world = await openQueueWorld(queue.url, { queueMax: 200, firstPauseMs: 50 });
    await world.startWorker({ concurrency: 4 });
    // While its attempts go on, the other tests run beside it.
    await world.client.enqueue(toldJob('crasher', Array(5).fill('crash')));
  });

  afterAll(async () => {
    await world.close();
    await queue.stop();
  });

  /** A job that is dead in the queue, too. */
  const dead = async (jobId: string, attempts = ['corrupt']): Promise<void> => {
    await world.client.enqueue(toldJob(jobId, attempts));
    const raw = world.backend.queue(QUEUE_NAME);
    await eventually(async () => {
      const job = await raw.getJob(`tests~${jobId}`);
      return (await job?.isFailed()) || undefined;
    }, `the death of ${jobId}`);
  };
  const letterOf = (jobId: string) => world.deadLetters.get({ projectId: 'tests', jobId });

  it('keep what was sent, why it failed, where, and each attempt', async () => {
    await dead('kept');
    const job = toldJob('kept', ['corrupt']);
    expect(await letterOf('kept')).toMatchObject({
      requestId: 'request-kept',
      error: { code: 'asset_corrupt', message: 'The picture is broken.' },
      place: { stage: 'assets' },
      attemptsMade: 1,
      attempts: [{ attempt: 1, outcome: 'failed', error: { code: 'asset_corrupt' } }],
      job,
    });
  });

  it('say which asset and which steps were at fault', async () => {
    const asset = { id: 'cup', type: 'image' as const, upload: 'a'.repeat(64) };
    const previewRequest = {
      ...toldJob('no-cup').previewRequest,
      steps: [{ text: 'Water.' }, { asset: 'cup' }],
    };
    await world.client.enqueue(
      toldJob('no-cup', [], { previewRequest: { ...previewRequest, assets: [asset] } }),
    );
    await world.reaches('no-cup', 'failed');
    expect(await letterOf('no-cup')).toMatchObject({
      error: { code: 'asset_missing' },
      place: { stage: 'assets', asset: 'cup', step: 1 },
    });
  });

  it('are listed, the newest first, by project', async () => {
    await dead('first');
    await dead('second');
    const { total, deadLetters } = await world.deadLetters.list({ projectId: 'tests' });
    const ids = deadLetters.map(({ jobId }) => jobId);
    expect(ids.indexOf('second')).toBeLessThan(ids.indexOf('first'));
    expect(total).toBe(ids.length);
    expect(deadLetters[0]).not.toHaveProperty('job');
    const limited = await world.deadLetters.list({ projectId: 'tests', limit: 1 });
    expect(limited).toMatchObject({ total, deadLetters: [{ jobId: 'second' }] });
    expect(await world.deadLetters.list({ projectId: 'others' })).toEqual({ total: 0, deadLetters: [] });
    expect((await world.client.queueMetrics()).deadLetters).toBe(total);
  });

  it('are run again by a replay, and are gone then', async () => {
    await dead('replayed', ['corrupt', 'done']);
    expect(await world.deadLetters.replay({ jobId: 'replayed' })).toMatchObject({
      outcome: 'accepted',
      status: { status: 'queued' },
    });
    expect(await world.reaches('replayed', 'completed')).toMatchObject({ attemptsMade: 1 });
    await expect(letterOf('replayed')).rejects.toMatchObject({ code: 'dead_letter_not_found' });
  });

  it('come back where the replay fails as well', async () => {
    await dead('twice', ['corrupt', 'corrupt']);
    const before = await letterOf('twice');
    await world.deadLetters.replay({ jobId: 'twice' });
    const after = await eventually(async () => {
      const letter = await letterOf('twice').catch(() => undefined);
      return letter && letter.failedAt !== before.failedAt ? letter : undefined;
    }, 'the second death');
    expect(after.attempts).toHaveLength(1);
    expect(await world.begun('twice')).toBe(2);
  });

  it('are run once, however often the replay is asked for', async () => {
    await dead('hasty', ['corrupt', 'done']);
    const asked = await Promise.allSettled(
      Array.from({ length: 8 }, () => world.deadLetters.replay({ jobId: 'hasty' })),
    );
    expect(asked.some(({ status }) => status === 'fulfilled')).toBe(true);
    await world.reaches('hasty', 'completed');
    expect(await world.begun('hasty')).toBe(2);
    await expect(letterOf('hasty')).rejects.toMatchObject({ code: 'dead_letter_not_found' });
  });

  it('are run again when their worker has ended them, where it was just about to', async () => {
    const own = await startQueueBackend(anyBackend);
    const held = await openQueueWorld(own.url);
    let end = (): void => undefined;
    const letGo = new Promise<void>((resolve) => {
      end = resolve;
    });
    const worker = held.backend.worker<QueuedJob, void>(
      QUEUE_NAME,
      async (job) => {
        const error = { code: 'asset_corrupt' as const, message: 'The picture is broken.' };
        await held.deadLetters.bury(job, { error, attemptsMade: 1 });
        await letGo;
        throw new UnrecoverableError('asset_corrupt');
      },
      { concurrency: 1 },
    );
    try {
      await held.client.enqueue(toldJob('held', ['corrupt']));
      const ref = { projectId: 'tests', jobId: 'held' };
      const letter = await eventually(
        () => held.deadLetters.get(ref).catch(() => undefined),
        'the letter of the job that is held',
      );
      await held.reaches('held', 'failed');
      await expect(held.deadLetters.replay(ref)).rejects.toMatchObject({ code: 'job_not_finished' });
      expect(await held.deadLetters.get(ref)).toEqual(letter);
      const replayed = held.deadLetters.replay(ref);
      setTimeout(end, 200);
      expect(await replayed).toMatchObject({ outcome: 'accepted', status: { status: 'queued' } });
    } finally {
      end();
      await worker.close();
      await held.close();
      await own.stop();
    }
  });

  it('stay dead when they are discarded', async () => {
    await dead('discarded');
    await world.deadLetters.discard({ jobId: 'discarded' });
    await world.deadLetters.reconcile();
    await expect(letterOf('discarded')).rejects.toMatchObject({ code: 'dead_letter_not_found' });
    expect(await world.client.status({ jobId: 'discarded' })).toMatchObject({ status: 'failed' });
  });

  it('outlive the failed jobs of the queue', async () => {
    await dead('outliving');
    const raw = world.backend.queue(QUEUE_NAME);
    await raw.clean(0, 1000, 'failed');
    expect(await raw.getJob('tests~outliving')).toBeUndefined();
    await world.deadLetters.reconcile();
    expect(await letterOf('outliving')).toMatchObject({ jobId: 'outliving' });
  });

  it('are written for what a killed process could not report', async () => {
    // A failed job without letter and record, as it is left when the process dies in between.
    await dead('unreported');
    const record = (await world.store.getRecord('tests', 'unreported')) as JobRecord;
    await world.deadLetters.discard({ jobId: 'unreported' });
    await world.store.removeRecord(record);
    expect(await world.client.status({ projectId: 'tests', jobId: 'unreported' })).toMatchObject({
      status: 'failed',
      error: { code: 'asset_corrupt' },
    });
    await world.deadLetters.reconcile();
    expect(await letterOf('unreported')).toMatchObject({ error: { code: 'asset_corrupt' } });
    expect(await world.store.getRecord('tests', 'unreported')).toMatchObject({ status: 'failed' });
  });

  it('are written although the record of another job cannot be read', async () => {
    const unreported = async (jobId: string): Promise<JobRecord> => {
      await dead(jobId);
      const record = (await world.store.getRecord('tests', jobId)) as JobRecord;
      await world.deadLetters.discard({ jobId });
      await world.store.removeRecord(record);
      return record;
    };
    await unreported('damaged');
    await unreported('beside-damage');
    const { recordPath } = layoutOf(join(world.dataDir, 'store'));
    await mkdir(recordPath('tests', 'damaged'), { recursive: true });
    await expect(world.deadLetters.reconcile()).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(await letterOf('beside-damage')).toMatchObject({ error: { code: 'asset_corrupt' } });
    await rm(recordPath('tests', 'damaged'), { recursive: true });
    await world.deadLetters.reconcile();
    expect(await letterOf('damaged')).toMatchObject({ error: { code: 'asset_corrupt' } });
  });

  it('bring their record back where a replay was cut off', async () => {
    await dead('cut-off');
    const record = (await world.store.getRecord('tests', 'cut-off')) as JobRecord;
    await (await world.backend.queue(QUEUE_NAME).getJob(queueId(record)))?.remove();
    await world.store.removeRecord(record);
    // Twice: at the first look it may be a replay that is under way.
    await world.deadLetters.reconcile();
    expect(await world.store.getRecord('tests', 'cut-off')).toBeUndefined();
    await world.deadLetters.reconcile();
    expect(await world.store.getRecord('tests', 'cut-off')).toEqual(record);
    expect(await letterOf('cut-off')).toMatchObject({ jobId: 'cut-off' });
  });

  it('are taken away where the job has completed after all', async () => {
    await dead('recovered');
    const letters = world.backend.queue<StoredLetter, void>(deadQueueName(QUEUE_NAME));
    const all = await letters.getJobs(['waiting']);
    const letter = all.find(({ data }) => data.record.jobId === 'recovered') as Job<StoredLetter>;
    await world.deadLetters.discard({ jobId: 'recovered' });
    await world.store.removeRecord(letter.data.record);
    await world.store.putRecord({ ...letter.data.record, status: 'completed' });
    await letters.add('dead-letter', letter.data, { jobId: String(letter.id) });
    await world.deadLetters.reconcile();
    await expect(letterOf('recovered')).rejects.toMatchObject({ code: 'dead_letter_not_found' });
  });

  it('are not run again where what was sent is no job', async () => {
    const raw = world.backend.queue(QUEUE_NAME);
    await raw.add('render', { job: { surprise: true } }, { jobId: 'tests~foreign', attempts: 5 });
    await world.reaches('foreign', 'failed');
    await expect(world.deadLetters.replay({ jobId: 'foreign' })).rejects.toMatchObject({
      code: 'invalid_payload',
    });
    expect(await letterOf('foreign')).toMatchObject({ job: { surprise: true } });
  });

  it('get a job that kills its process again and again, and its neighbours never notice', async () => {
    const neighbours = Array.from({ length: 6 }, (_, i) => `neighbour-${i}`);
    for (const jobId of neighbours) await world.client.enqueue(toldJob(jobId));
    for (const jobId of neighbours) {
      expect(await world.reaches(jobId, 'completed')).toMatchObject({ attemptsMade: 1 });
    }
    await world.reaches('crasher', 'failed');
    const letter = await letterOf('crasher');
    expect(letter).toMatchObject({ error: { code: 'render_crashed' }, attemptsMade: 5 });
    expect(letter.attempts.map(({ attempt, error }) => [attempt, error?.code])).toEqual(
      [1, 2, 3, 4, 5].map((attempt) => [attempt, 'render_crashed']),
    );
  });
});
