import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JobFilter } from '../../../src/worker/records/jobList.ts';
import { eventually } from '../../support/eventually.ts';
import { anyBackend, startQueueBackend } from '../../support/queueBackends.ts';
import { openQueueWorld, type QueueWorld, toldJob } from '../../support/queueWorld.ts';

describe('the list of jobs', () => {
  let queue: Awaited<ReturnType<typeof startQueueBackend>>;
  let world: QueueWorld;

  beforeEach(async () => {
    queue = await startQueueBackend(anyBackend);
    world = await openQueueWorld(queue.url);
  });
  afterEach(async () => {
    await world.close();
    await queue.stop();
  });

  /** Ids, page by page; each page but the last has as many as were asked for. */
  async function idsOf(filter: JobFilter = {}, limit = 50): Promise<string[]> {
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const { jobs, next } = await world.client.list(filter, { limit, cursor });
      expect(jobs.length).toBeLessThanOrEqual(limit);
      if (next) expect(jobs).toHaveLength(limit);
      ids.push(...jobs.map(({ jobId }) => jobId));
      cursor = next;
    } while (cursor);
    return ids;
  }
  /** One after the other, so that each is accepted later than the one before. */
  async function send(...jobs: ReturnType<typeof toldJob>[]): Promise<void> {
    for (const job of jobs) {
      await world.client.enqueue(job);
      const accepted = Date.now();
      await eventually(async () => Date.now() > accepted || undefined, 'the next millisecond');
    }
  }

  it('has those that wait, run and ended, the last accepted first, whatever their priority', async () => {
    await send(toldJob('a'), toldJob('b', ['corrupt'], { priority: 'high' }));
    await world.startWorker({ concurrency: 1 });
    await world.reaches('a', 'completed');
    await world.reaches('b', 'failed');
    // The worker has it before one of a higher priority is there.
    await send(toldJob('c', ['spin']));
    await world.reaches('c', 'rendering');
    await send(toldJob('d', [], { priority: 'low' }), toldJob('e', [], { priority: 'high' }), toldJob('f'));
    await world.client.cancel({ jobId: 'd' });
    const { jobs } = await world.client.list({}, { limit: 50 });
    expect(jobs.map(({ jobId, status, priority }) => [jobId, status, priority])).toEqual([
      ['f', 'queued', 'normal'],
      ['e', 'queued', 'high'],
      ['d', 'cancelled', 'low'],
      ['c', 'rendering', 'normal'],
      ['b', 'failed', 'high'],
      ['a', 'completed', 'normal'],
    ]);
    expect(jobs[4]).toMatchObject({
      title: 'Preview b',
      requestId: 'request-b',
      error: { code: 'asset_corrupt', message: 'The picture is broken.' },
      attemptsMade: 1,
      startedAt: expect.any(String),
      finishedAt: expect.any(String),
    });
    expect(jobs.some((job) => 'warnings' in job || 'plan' in job)).toBe(false);
    for (const limit of [1, 2, 3, 5, 6])
      expect(await idsOf({}, limit)).toEqual(['f', 'e', 'd', 'c', 'b', 'a']);
    expect(await idsOf({ statuses: ['completed', 'failed'] }, 1)).toEqual(['b', 'a']);
    expect(await idsOf({ statuses: ['queued', 'rendering', 'retrying'] }, 2)).toEqual(['f', 'e', 'c']);
    expect(await idsOf({ priorities: ['high'] })).toEqual(['e', 'b']);
    expect(await idsOf({ statuses: ['cancelled'], priorities: ['normal'] })).toEqual([]);
    expect(await idsOf({ text: 'PREVIEW E' })).toEqual(['e']);
    expect(await idsOf({ text: 'request-b' })).toEqual(['b']);
  });

  it('shows each project its own, and jobs of the same id of several projects', async () => {
    await send(toldJob('same', [], { projectId: 'first' }), toldJob('same', [], { projectId: 'Second' }));
    await world.startWorker();
    await eventually(async () => {
      const { jobs } = await world.client.list({ statuses: ['completed'] }, { limit: 5 });
      return jobs.length === 2 || undefined;
    }, 'the end of both');
    await send(toldJob('other', ['spin'], { projectId: 'first' }));
    expect(await idsOf({ projectId: 'first' })).toEqual(['other', 'same']);
    expect(await idsOf({ projectId: 'Second' })).toEqual(['same']);
    expect(await idsOf({ projectId: 'nobody' })).toEqual([]);
    const { jobs } = await world.client.list({}, { limit: 5 });
    expect(jobs.map(({ projectId }) => projectId)).toEqual(['first', 'Second', 'first']);
  });

  it('goes on where it was when jobs were added in front', async () => {
    await send(toldJob('a'), toldJob('b'), toldJob('c'));
    const { next } = await world.client.list({}, { limit: 2 });
    await send(toldJob('d'));
    const { jobs } = await world.client.list({}, { limit: 2, cursor: next });
    expect(jobs.map(({ jobId }) => jobId)).toEqual(['a']);
    await expect(world.client.list({}, { limit: 2, cursor: 'nonsense' })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });

  it('has a job that was replayed once, as the new one that it is', async () => {
    await send(toldJob('again', ['corrupt']), toldJob('later'));
    await world.startWorker();
    await world.reaches('again', 'failed');
    await world.reaches('later', 'completed');
    await world.deadLetters.replay({ jobId: 'again' });
    await world.reaches('again', 'completed');
    expect(await idsOf()).toEqual(['again', 'later']);
  });
});
