import { fork } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { sharedBackends, startQueueBackend } from '../../support/queueBackends.ts';
import { openQueueWorld, type QueueWorld, toldJob } from '../../support/queueWorld.ts';

const WORKER_PROCESS = new URL('../../support/workerProcess.ts', import.meta.url);

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
    // A lock of 10 s and a check every 5 s.
    expect(await world.reaches('orphan', 'completed', 25)).toMatchObject({ attemptsMade: 1 });
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
