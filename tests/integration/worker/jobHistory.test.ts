import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/logger.ts';
import { eventually } from '../../support/eventually.ts';
import { anyBackend, startQueueBackend } from '../../support/queueBackends.ts';
import { openQueueWorld, QUEUE_NAME, type QueueWorld, toldJob } from '../../support/queueWorld.ts';

describe('payload and history', () => {
  let queue: Awaited<ReturnType<typeof startQueueBackend>>;
  let world: QueueWorld;

  beforeEach(async () => {
    queue = await startQueueBackend(anyBackend);
    world = await openQueueWorld(queue.url, {
      firstPauseMs: 100,
      logger: createLogger('silent', { redact: ['source'] }),
    });
  });
  afterEach(async () => {
    await world.close();
    await queue.stop();
  });

  /** As it is when the queue has forgotten the job: an hour later, or a hundred jobs. */
  async function forget(jobId: string): Promise<void> {
    const jobs = world.backend.queue(QUEUE_NAME);
    await eventually(async () => {
      const job = await jobs.getJob(`tests~${jobId}`);
      await job?.remove().catch(() => undefined);
      return (await jobs.getJob(`tests~${jobId}`)) === undefined || undefined;
    }, 'the queue forgetting the job');
    await jobs.close();
  }

  it('answers the job as it was sent, while it waits, runs, and when the queue has forgotten it', async () => {
    const sent = toldJob('sent', ['slow'], { priority: 'low' });
    await world.client.enqueue(sent);
    expect(await world.client.details({ jobId: 'sent' })).toMatchObject({ status: 'queued', job: sent });
    await world.startWorker();
    await world.reaches('sent', 'rendering');
    expect((await world.client.details({ jobId: 'sent' })).job).toEqual(sent);
    await world.reaches('sent', 'completed');
    expect((await world.client.details({ jobId: 'sent' })).job).toEqual(sent);
    await forget('sent');
    expect(await world.client.details({ jobId: 'sent' })).toMatchObject({ status: 'completed', job: sent });
    await expect(world.client.details({ jobId: 'nobody' })).rejects.toMatchObject({ code: 'job_not_found' });
  });

  it('tells of each attempt, of what it logged, and keeps it with the record', async () => {
    await world.client.enqueue(toldJob('tried', ['fail', 'crash', 'complain']));
    await world.startWorker();
    await world.reaches('tried', 'completed', 60);
    const history = await world.client.history({ jobId: 'tried' });
    expect(history.attempts).toMatchObject([
      { attempt: 1, outcome: 'failed', error: { code: 'render_failed', message: 'As it was told.' } },
      { attempt: 2, outcome: 'failed', error: { code: 'render_crashed' } },
      { attempt: 3, outcome: 'completed' },
    ]);
    for (const { startedAt, endedAt = '' } of history.attempts) expect(endedAt >= startedAt).toBe(true);
    expect(history.logs.map(({ attempt, level, msg }) => [attempt, level, msg])).toEqual([
      [1, 'info', 'job started'],
      [1, 'warn', 'attempt failed, the job will be retried'],
      [2, 'info', 'job started'],
      [2, 'warn', 'attempt failed, the job will be retried'],
      [3, 'info', 'job started'],
      [3, 'warn', 'libpicture: this is odd'],
    ]);
    expect(history.logs[1]?.error).toEqual({ code: 'render_failed', message: 'As it was told.' });
    expect(history.logs.at(-1)?.source).toBe('[redacted]');
    expect(JSON.stringify(history)).not.toContain('stack');
    await forget('tried');
    expect(await world.client.history({ jobId: 'tried' })).toEqual(history);
  }, 60_000);

  it('tells of a job that failed for good, before and after it was replayed', async () => {
    await world.client.enqueue(toldJob('dead', ['corrupt']));
    await world.startWorker();
    await world.reaches('dead', 'failed');
    await forget('dead');
    const { attempts, logs } = await world.client.history({ jobId: 'dead' });
    expect(attempts).toMatchObject([{ attempt: 1, outcome: 'failed', error: { code: 'asset_corrupt' } }]);
    expect(logs.at(-1)).toMatchObject({ level: 'error', msg: 'job failed' });
    expect((await world.client.details({ jobId: 'dead' })).job).toEqual(toldJob('dead', ['corrupt']));
    await world.deadLetters.replay({ jobId: 'dead' });
    await world.reaches('dead', 'completed');
    expect((await world.client.history({ jobId: 'dead' })).attempts).toMatchObject([
      { outcome: 'completed' },
    ]);
  });

  it('tells of a job that was cancelled while it ran, and of one that was cancelled before', async () => {
    await world.client.enqueue(toldJob('early'));
    await world.client.cancel({ jobId: 'early' });
    expect(await world.client.history({ jobId: 'early' })).toEqual({ attempts: [], parts: [], logs: [] });
    expect((await world.client.details({ jobId: 'early' })).job).toEqual(toldJob('early'));
    await world.startWorker();
    await world.client.enqueue(toldJob('spinning', ['spin']));
    await world.reaches('spinning', 'rendering');
    await world.client.cancel({ jobId: 'spinning' });
    const { attempts } = await world.client.history({ jobId: 'spinning' });
    expect(attempts).toMatchObject([{ attempt: 1, outcome: 'cancelled', endedAt: expect.any(String) }]);
  });
});
