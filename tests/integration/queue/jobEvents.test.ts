import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createJobEvents, type JobEvent } from '../../../src/queue/events/jobEvents.ts';
import { queueId } from '../../../src/queue/queuedJob.ts';
import { eventually } from '../../support/eventually.ts';
import { queueBackends, startQueueBackend } from '../../support/queueBackends.ts';
import { openQueueWorld, QUEUE_NAME, type QueueWorld, toldJob } from '../../support/queueWorld.ts';

describe.each(queueBackends)('events of jobs on the %s queue', (name) => {
  let queue: Awaited<ReturnType<typeof startQueueBackend>>;
  let world: QueueWorld;

  beforeAll(async () => {
    queue = await startQueueBackend(name);
    world = await openQueueWorld(queue.url);
  });

  afterAll(async () => {
    await world.close();
    await queue.stop();
  });

  const ref = (jobId: string) => ({ projectId: 'tests', jobId });

  /** The same queue; counts who watches it. */
  const counted = (lingerMs?: number) => {
    const count = { begun: 0, watching: 0 };
    const events = createJobEvents(
      {
        watch(...args) {
          const watch = world.backend.watch(...args);
          count.begun++;
          count.watching++;
          return {
            async close() {
              await watch.close();
              count.watching--;
            },
          };
        },
      },
      QUEUE_NAME,
      lingerMs,
    );
    return { count, events };
  };

  it('tell of each step of a job until nobody listens any more', async () => {
    await world.startWorker();
    const heard: JobEvent[] = [];
    const stop = world.events.listen((event) => heard.push(event));
    const of = (jobId: string) => heard.filter((event) => event.queueId === queueId(ref(jobId)));
    await eventually(async () => {
      // A reader of Redis hears nothing in its first moments.
      await world.client.enqueue(toldJob(`warm-${heard.length}-${Date.now()}`));
      return heard.length > 0 ? true : undefined;
    }, 'a first event');

    await world.client.enqueue(toldJob('told'));
    await world.reaches('told', 'completed');
    await eventually(async () => (of('told').length >= 4 ? true : undefined), 'all steps');
    expect(of('told').find(({ record }) => record)?.record).toMatchObject({ status: 'completed' });

    stop();
    await world.client.enqueue(toldJob('untold'));
    await world.reaches('untold', 'completed');
    expect(of('untold')).toEqual([]);
  });

  it('tell how a job ended when it is written, and watch no queue for that', async () => {
    const { events, count } = counted();
    const store = events.telling(world.store);
    await world.client.enqueue(toldJob('ended'));
    const { status } = await world.reaches('ended', 'completed');
    const record = await world.store.getRecord('tests', 'ended');
    const ends: unknown[] = [];
    const stop = events.listenForEnd(ref('ended'), (end) => ends.push(end));
    events.listenForEnd(ref('other'), (end) => ends.push(end));
    // Of two ends the first stands, and that one is told.
    if (record) await store.putRecord({ ...record, status: 'cancelled' });
    expect(ends).toMatchObject([{ jobId: 'ended', status }]);
    stop();
    if (record) await store.putRecord(record);
    expect(ends).toHaveLength(1);
    expect(count).toEqual({ begun: 0, watching: 0 });
    await events.close();
  });

  it('have one watch for all who listen, which ends a moment after the last one', async () => {
    const { events, count } = counted(100);
    const stops = [events.listen(() => undefined), events.listen(() => undefined)];
    for (const stop of stops) stop();
    // Who comes back soon finds it.
    const stop = events.listen(() => undefined);
    expect(count).toEqual({ begun: 1, watching: 1 });
    stop();
    await eventually(async () => (count.watching === 0 ? true : undefined), 'the end of the watch');
    expect(count.begun).toBe(1);
    await events.close();
  });
});
