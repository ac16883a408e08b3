import { fork } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { readHistory } from '../../../src/worker/records/attemptHistory.ts';
import { eventually } from '../../support/eventually.ts';
import { processFile } from '../../support/processes.ts';
import { sharedBackends, startQueueBackend } from '../../support/queueBackends.ts';
import { openQueueWorld, QUEUE_NAME, type QueueWorld, toldJob } from '../../support/queueWorld.ts';

const WORKER_PROCESS = processFile('workerProcess');

// The embedded queue has one process; that a job survives its death is in restart.test.ts.
describe.each(sharedBackends)('two workers on the %s queue', (name) => {
  let world: QueueWorld;
  let queue: Awaited<ReturnType<typeof startQueueBackend>>;

  afterEach(async () => {
    await world.close();
    await queue.stop();
  });

  it('complete a job although the one that had it was killed', { timeout: 60_000 }, async () => {
    queue = await startQueueBackend(name);
    world = await openQueueWorld(queue.url);
    const first = fork(WORKER_PROCESS, [String(queue.url), world.dataDir]);
    await world.client.enqueue(toldJob('orphan', ['spin', 'done']));
    await eventually(async () => (await world.begun('orphan')) || undefined, 'the start of the job');
    const gone = new Promise((resolve) => first.once('exit', resolve));
    first.kill('SIGKILL');
    await gone;

    await world.startWorker();
    // A lock of 10 s and a check every second.
    expect(await world.reaches('orphan', 'completed', 25)).toMatchObject({ attemptsMade: 1 });
  });

  it('let an attempt whose lock was lost end nothing', { timeout: 90_000 }, async () => {
    queue = await startQueueBackend(name);
    world = await openQueueWorld(queue.url);
    const first = fork(WORKER_PROCESS, [String(queue.url), world.dataDir]);
    await world.client.enqueue(toldJob('frozen', ['until told', 'spin']));
    await eventually(async () => (await world.begun('frozen')) || undefined, 'the start of the job');
    // Its render child is not stopped: the answer waits for the worker to wake up.
    first.kill('SIGSTOP');
    try {
      await world.startWorker();
      await eventually(async () => (await world.begun('frozen')) === 2 || undefined, 'the take-over');
      await world.tell('frozen');
      first.kill('SIGCONT');
      const raw = world.backend.queue(QUEUE_NAME);
      const attempts = await eventually(async () => {
        const { logs } = await raw.getJobLogs('tests~frozen');
        const known = readHistory(logs);
        return known.some(({ outcome }) => outcome !== undefined) ? known : undefined;
      }, 'the end of the first attempt');
      expect(attempts).toMatchObject([{ outcome: 'lockLost' }, { attempt: 1 }]);
      expect(await world.client.status({ jobId: 'frozen' })).toMatchObject({ status: 'rendering' });
      expect(await world.store.getRecord('tests', 'frozen')).toBeUndefined();
      await world.client.cancel({ jobId: 'frozen' });
    } finally {
      const gone = new Promise((resolve) => first.once('exit', resolve));
      first.kill('SIGKILL');
      await gone;
    }
  });

  it('give up a job under which six workers have died', async () => {
    queue = await startQueueBackend(name);
    world = await openQueueWorld(queue.url);
    await world.client.enqueue(toldJob('deadly'));
    await takeAndDie(world, 6);
    await world.startWorker();
    await world.client.enqueue(toldJob('beside'));
    expect(await world.reaches('beside', 'completed')).toMatchObject({ attemptsMade: 1 });
    expect(await world.reaches('deadly', 'failed')).toMatchObject({ error: { code: 'stalled' } });
    const letter = await eventually(
      () => world.deadLetters.get({ jobId: 'deadly' }).catch(() => undefined),
      'the dead letter',
    );
    expect(letter).toMatchObject({ error: { code: 'stalled' }, job: toldJob('deadly') });
    expect(await world.begun('deadly')).toBe(0);
  });

  it('do not give up a job under which five workers have died', async () => {
    queue = await startQueueBackend(name);
    world = await openQueueWorld(queue.url);
    await world.client.enqueue(toldJob('hard'));
    await takeAndDie(world, 5);
    await world.startWorker();
    expect(await world.reaches('hard', 'completed')).toMatchObject({ attemptsMade: 1 });
  });

  it('are both seen by whoever asks', async () => {
    queue = await startQueueBackend(name);
    world = await openQueueWorld(queue.url);
    const first = fork(WORKER_PROCESS, [String(queue.url), world.dataDir]);
    await world.startWorker();
    const names = await eventually(async () => {
      const seen = await world.client.workers();
      return seen.length === 2 ? seen : undefined;
    }, 'both workers');
    expect(names.map((worker) => Number(worker.split('-').at(-1))).sort()).toEqual(
      [process.pid, Number(first.pid)].sort(),
    );
    const gone = new Promise((resolve) => first.once('exit', resolve));
    first.kill('SIGKILL');
    await gone;
  });
});

/**
 * Takes the only job of the queue so many times, each time as a worker does that dies at once: it says nothing more, and
 * its lock runs out.
 */
async function takeAndDie({ backend }: QueueWorld, times: number): Promise<void> {
  let taken = 0;
  let isOver = (): void => undefined;
  const over = new Promise<void>((resolve) => {
    isOver = resolve;
  });
  const hang = (): Promise<never> => {
    taken++;
    if (taken === times) isOver();
    return new Promise<never>(() => undefined);
  };
  const worker = backend.worker(QUEUE_NAME, hang, {
    ...{ concurrency: times, skipLockRenewal: true, lockDuration: 200, stalledInterval: 100 },
    maxStalledCount: 5,
  });
  await over;
  await worker.close(true);
}
