import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createAdmission } from '../../../src/queue/admission.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** An admission to a queue that has as many jobs as `count` says. */
const admissionTo = (queueMax: number, count: () => number) =>
  createAdmission({
    queue: { getJobCountByTypes: async () => count(), getRanges: async () => [] },
    reach: (call) => call(),
    pace: { look: async () => undefined, perSecond: () => 1 },
    limits: { queueMax, projectQueueMax: queueMax },
  });

it('lets in as many as fit of those who come at once, whenever they arrive', async () => {
  let waiting = 5;
  const admission = admissionTo(20, () => waiting);
  const send = async (_: unknown, i: number): Promise<void> => {
    const arrived = await admission.admit('docs');
    for (let turn = 0; turn < i % 7; turn++) await new Promise((resolve) => setImmediate(resolve));
    waiting++;
    await Promise.resolve();
    arrived();
  };
  const sent = await Promise.allSettled(Array.from({ length: 40 }, send));
  expect(sent.filter(({ status }) => status === 'fulfilled')).toHaveLength(15);
  expect(waiting).toBe(20);
});

it('counts once for all who come while it counts and a while after', async () => {
  let counts = 0;
  const admission = admissionTo(1000, () => ++counts);
  const send = async (): Promise<void> => (await admission.admit('docs'))();
  await Promise.all(Array.from({ length: 50 }, send));
  await send();
  expect(counts).toBe(1);
  vi.advanceTimersByTime(20);
  await send();
  expect(counts).toBe(2);
});

it('lets in a quarter of those for whom there is room before it looks again what others have let in', async () => {
  let waiting = 0;
  const admission = admissionTo(20, () => waiting);
  const arrivals = await Promise.all(Array.from({ length: 5 }, () => admission.admit('docs')));
  let isIn = false;
  const next = admission.admit('docs').then(() => {
    isIn = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isIn).toBe(false);
  // Meanwhile another process has filled the queue.
  waiting = 20;
  for (const arrived of arrivals) arrived();
  await expect(next).rejects.toMatchObject({ code: 'queue_full', retryAfterSeconds: 5 });
});

it('refuses nobody by a count that is older than the question', async () => {
  let waiting = 4;
  const admission = admissionTo(4, () => waiting);
  await expect(admission.admit('docs')).rejects.toMatchObject({ code: 'queue_full' });
  waiting = 3;
  vi.advanceTimersByTime(1);
  await admission.admit('docs');
});

it('keeps no place of a job that does not come', async () => {
  const admission = admissionTo(4, () => 3);
  for (let i = 0; i < 10; i++) (await admission.admit('docs'))();
});

it('fails where the queue cannot be counted, and counts again the next time', async () => {
  let isAway = true;
  const admission = admissionTo(2, () => {
    if (isAway) throw new Error('away');
    return 0;
  });
  await expect(admission.admit('docs')).rejects.toThrow('away');
  isAway = false;
  await admission.admit('docs');
});
