import { fork } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/eventually.ts';
import { processFile } from '../../../support/processes.ts';
import { queueBackends, startQueueBackend } from '../../../support/queueBackends.ts';
import { openQueueWorld, QUEUE_NAME, type QueueWorld, toldJob } from '../../../support/queueWorld.ts';

/** What is kept of a job, and who hears of it: what each queue has to be able to do for the suites that run on one. */
describe.each(queueBackends)('jobs that end on the %s queue', (name) => {
  let queue: Awaited<ReturnType<typeof startQueueBackend>>;
  let world: QueueWorld;

  beforeAll(async () => {
    queue = await startQueueBackend(name);
    world = await openQueueWorld(queue.url);
    await world.startWorker();
  });

  afterAll(async () => {
    await world.close();
    await queue.stop();
  });

  it('are dead letters where they failed: listed, run again or discarded', async () => {
    for (const jobId of ['first', 'second']) {
      await world.client.enqueue(toldJob(jobId, ['corrupt', 'done']));
      await world.reaches(jobId, 'failed');
    }
    const { deadLetters } = await world.deadLetters.list();
    expect(deadLetters.map(({ jobId }) => jobId)).toEqual(['second', 'first']);
    await world.deadLetters.replay({ jobId: 'first' });
    expect(await world.reaches('first', 'completed')).toMatchObject({ attemptsMade: 1 });
    await world.deadLetters.discard({ jobId: 'second' });
    await world.deadLetters.reconcile();
    expect(await world.client.queueMetrics()).toMatchObject({ deadLetters: 0 });
  });

  it('are in the list with those that wait and run, the last accepted first', async () => {
    await world.client.enqueue(toldJob('runs', ['until told'], { projectId: 'listed' }));
    await eventually(async () => {
      const { jobs } = await world.client.list({ projectId: 'listed' }, { limit: 9 });
      return jobs[0]?.status === 'rendering' || undefined;
    }, 'the start of the job');
    for (const [jobId, priority] of [
      ['patient', 'low'],
      ['urgent', 'high'],
    ] as const) {
      await world.client.enqueue(toldJob(jobId, [], { projectId: 'listed', priority }));
      const before = Date.now();
      await eventually(async () => Date.now() > before || undefined, 'the next millisecond');
    }
    const { jobs } = await world.client.list({ projectId: 'listed' }, { limit: 9 });
    expect(jobs.map(({ jobId }) => jobId)).toEqual(['urgent', 'patient', 'runs']);
    await world.client.cancel({ jobId: 'runs' });
  });

  it('leave the history of their attempts', async () => {
    await world.client.enqueue(toldJob('tried', ['fail', 'done']));
    await world.reaches('tried', 'completed');
    expect(await world.client.history({ jobId: 'tried' })).toMatchObject({
      attempts: [
        { attempt: 1, outcome: 'failed' },
        { attempt: 2, outcome: 'completed' },
      ],
    });
  });

  it('are told of to whoever watches the queue', async () => {
    const told = new Set<string>();
    const watching = world.backend.watch(QUEUE_NAME, (queueId) => told.add(queueId));
    await eventually(async () => {
      const jobId = `watched-${Date.now()}`;
      await world.client.enqueue(toldJob(jobId));
      await world.reaches(jobId, 'completed');
      return told.has(`tests~${jobId}`) || undefined;
    }, 'news of a job');
    await watching.close();
  });

  it('are cancelled where a newer one supersedes them', async () => {
    await world.client.enqueue(toldJob('old', ['spin'], { supersedes: 'storyboard' }));
    await world.client.enqueue(toldJob('new', [], { supersedes: 'storyboard' }));
    expect(await world.reaches('old', 'cancelled')).toMatchObject({ error: { code: 'superseded' } });
    await world.reaches('new', 'completed');
  });

  // The embedded queue has one process; that a job survives its death is in restart.test.ts.
  it.runIf(name !== 'embedded')('complete although the worker that had them was killed', async () => {
    const other = await startQueueBackend(name);
    const alone = await openQueueWorld(other.url);
    try {
      const first = fork(processFile('workerProcess'), [String(other.url), alone.dataDir]);
      const gone = new Promise((resolve) => first.once('exit', resolve));
      await alone.client.enqueue(toldJob('orphan', ['spin', 'done']));
      await eventually(async () => (await alone.begun('orphan')) || undefined, 'the start of the job');
      first.kill('SIGKILL');
      await gone;
      await alone.startWorker();
      expect(await alone.reaches('orphan', 'completed')).toMatchObject({ attemptsMade: 1 });
    } finally {
      await alone.close();
      await other.stop();
    }
  });
});
