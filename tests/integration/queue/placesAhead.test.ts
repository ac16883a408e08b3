import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { openQueueWorld, type QueueWorld, toldJob } from '../../support/queueWorld.ts';
import { hasRedis, startRedis, type TestRedis } from '../../support/redis.ts';

const QUEUE_MAX = 400;

describe.runIf(hasRedis())('places that are taken ahead', () => {
  let redis: TestRedis;
  let worlds: QueueWorld[];
  beforeEach(async () => {
    redis = await startRedis();
    worlds = await Promise.all([1, 2].map(() => openQueueWorld(redis.url, { queueMax: QUEUE_MAX })));
  });
  afterEach(async () => {
    for (const world of worlds) await world.close();
    await redis.stop();
  });

  /** Sends jobs through both processes at once. @returns how many were accepted */
  const send = async (name: string, count: number): Promise<number> => {
    const sent = Array.from({ length: count }, (_, i) =>
      worlds[i % 2]?.client.enqueue(toldJob(`${name}-${i}`)),
    );
    const answers = await Promise.allSettled(sent);
    return answers.filter(({ status }) => status === 'fulfilled').length;
  };
  /** Who asks for places asks for the time, too. */
  const questions = async (): Promise<number> => {
    const stats = (await worlds[0]?.backend.redis?.producer.info('commandstats')) ?? '';
    return Number(/cmdstat_time:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  };

  it('spare most jobs a question to Redis while there is much room', async () => {
    const before = await questions();
    for (let i = 0; i < 40; i++) expect(await send(`calm-${i}`, 2)).toBe(2);
    // Each process asks once for its first job, and again when what that brought is used up.
    expect((await questions()) - before).toBeLessThan(20);
  });

  it('let in no more than there is room for, and all of that in the end', async () => {
    const accepted = await send('flood', QUEUE_MAX + 200);
    expect(accepted).toBeLessThanOrEqual(QUEUE_MAX);
    // What one process did not use, another one has half a second later.
    const more = await eventually(async () => {
      const now = await send(`late-${Date.now()}`, 1);
      const { waiting } = (await worlds[0]?.client.queueMetrics()) ?? { waiting: 0 };
      expect(waiting).toBeLessThanOrEqual(QUEUE_MAX);
      return now === 0 && waiting === QUEUE_MAX ? waiting : undefined;
    }, 'a full queue');
    expect(more).toBe(QUEUE_MAX);
  });

  it('are given back where nobody needs them', async () => {
    expect(await send('one', 2)).toBe(2);
    const key = 'bull:preview-jobs:reserved';
    const reserved = async () => (await worlds[0]?.backend.redis?.producer.zcard(key)) ?? 0;
    expect(await reserved()).toBeGreaterThan(2);
    await eventually(async () => ((await reserved()) === 0 ? true : undefined), 'no place that is held');
  });
});
