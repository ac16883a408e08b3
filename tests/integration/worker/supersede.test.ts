import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { queueId } from '../../../src/queue/queuedJob.ts';
import { eventually } from '../../support/eventually.ts';
import { anyBackend, sharedBackends, startQueueBackend } from '../../support/queueBackends.ts';
import { openQueueWorld, QUEUE_NAME, type QueueWorld, toldJob } from '../../support/queueWorld.ts';

const keyed = (jobId: string, attempts: string[] = [], key = 'storyboard-1') =>
  toldJob(jobId, attempts, { supersedes: key });

describe('a job that supersedes others', () => {
  let queue: Awaited<ReturnType<typeof startQueueBackend>>;
  let world: QueueWorld;

  beforeAll(async () => {
    queue = await startQueueBackend(anyBackend);
    world = await openQueueWorld(queue.url, { queueMax: 100 });
  });

  afterAll(async () => {
    await world.close();
    await queue.stop();
  });

  beforeEach(() => world.backend.queue(QUEUE_NAME).obliterate({ force: true }));

  const statusOf = async (jobId: string, projectId = 'tests') =>
    (await world.client.status({ jobId, projectId })).status;

  it('cancels the older ones that wait, and says why', async () => {
    await world.client.enqueue(keyed('old'));
    await world.client.enqueue(keyed('new'));
    expect(await world.client.status({ jobId: 'old' })).toMatchObject({
      status: 'cancelled',
      error: { code: 'superseded', message: expect.stringContaining('"storyboard-1"') },
    });
    expect(await statusOf('new')).toBe('queued');
    expect(await world.client.queueMetrics()).toMatchObject({ waiting: 1 });
  });

  it('leaves alone jobs of other keys, of other projects and without a key', async () => {
    await world.client.enqueue(keyed('other-key', [], 'storyboard-2'));
    await world.client.enqueue({ ...keyed('other-project'), projectId: 'others' });
    await world.client.enqueue(toldJob('no-key'));
    await world.client.enqueue(keyed('the-new'));
    for (const jobId of ['other-key', 'no-key', 'the-new']) expect(await statusOf(jobId)).toBe('queued');
    expect(await statusOf('other-project', 'others')).toBe('queued');
  });

  it('leaves one of many that are sent at the same moment', async () => {
    const ids = Array.from({ length: 12 }, (_, i) => `at-once-${i}`);
    await Promise.all(ids.map((jobId) => world.client.enqueue(keyed(jobId))));
    const states = await Promise.all(ids.map((jobId) => statusOf(jobId)));
    expect(states.filter((state) => state === 'queued')).toHaveLength(1);
    expect(states.filter((state) => state === 'cancelled')).toHaveLength(11);
  });

  it('is cancelled itself where it is the older one and its sender looks late', async () => {
    await world.client.enqueue(keyed('newest'));
    // As another machine adds it, which took its turn before and was slow.
    const raw = world.backend.queue(QUEUE_NAME);
    const late = keyed('late');
    const data = {
      job: late,
      submission: 's',
      acceptedAt: '2026-01-01T00:00:00.000Z',
      turn: 1,
    };
    await raw.add('render', data, { jobId: 'tests~late', priority: 2 });
    await world.client.enqueue(keyed('newest'));
    expect(await statusOf('late')).toBe('cancelled');
    expect(await statusOf('newest')).toBe('queued');
  });
});

describe.each(sharedBackends)('on the %s queue, with a running job', (name) => {
  let queue: Awaited<ReturnType<typeof startQueueBackend>>;
  let world: QueueWorld;
  let other: QueueWorld;

  beforeAll(async () => {
    queue = await startQueueBackend(name);
    world = await openQueueWorld(queue.url);
    other = await openQueueWorld(queue.url, { dataDir: world.dataDir });
    await world.startWorker();
  });

  afterAll(async () => {
    await other.close();
    await world.close();
    await queue.stop();
  });

  const begun = (jobId: string) =>
    eventually(async () => (await world.begun(jobId)) || undefined, `the start of ${jobId}`);
  const isIdle = () =>
    eventually(
      async () => ((await world.client.queueMetrics()).counts.active === 0 ? true : undefined),
      'the end of the render',
      5,
    );

  it('a newer one that is sent elsewhere stops its render', async () => {
    await world.client.enqueue(keyed('running', ['spin']));
    await begun('running');
    await other.client.enqueue(keyed('better'));
    expect(await world.reaches('running', 'cancelled')).toMatchObject({ error: { code: 'superseded' } });
    await world.reaches('better', 'completed');
    await isIdle();
  });

  it('one of many that are sent to two processes at the same moment is left, the newest', async () => {
    const ids = Array.from({ length: 12 }, (_, i) => `crowd-${i}`);
    // The worker is kept busy, so that they wait.
    const busy = ['busy-1', 'busy-2'];
    for (const jobId of busy) await world.client.enqueue(toldJob(jobId, ['until told']));
    for (const jobId of busy) await begun(jobId);
    const sent = ids.map((jobId, i) => (i % 2 ? other : world).client.enqueue(keyed(jobId, [], 'crowd')));
    await Promise.all(sent);
    const raw = world.backend.queue(QUEUE_NAME);
    const states = await Promise.all(ids.map(async (jobId) => (await world.client.status({ jobId })).status));
    expect(states.filter((state) => state === 'queued')).toHaveLength(1);
    expect(states.filter((state) => state === 'cancelled')).toHaveLength(11);
    // One that is sent now is newer than all of them, whichever process takes it.
    await other.client.enqueue(keyed('crowd-last', [], 'crowd'));
    expect(await raw.getJob(queueId({ projectId: 'tests', jobId: 'crowd-last' }))).toBeDefined();
    for (const jobId of ids)
      expect(await world.client.status({ jobId })).toMatchObject({ status: 'cancelled' });
    for (const jobId of busy) await world.tell(jobId);
    await world.reaches('crowd-last', 'completed');
  });

  it('whoever has the queue cancels it, wherever it runs', async () => {
    await world.client.enqueue(toldJob('far-away', ['spin']));
    await begun('far-away');
    expect(await other.client.cancel({ jobId: 'far-away' })).toMatchObject({ status: 'cancelled' });
    await isIdle();
    expect(await world.client.status({ jobId: 'far-away' })).toMatchObject({ status: 'cancelled' });
  });
});
