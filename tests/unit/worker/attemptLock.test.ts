import type { Job } from 'bullmq';
import { expect, test } from 'vitest';
import { createHolds, LockLost } from '../../../src/worker/attempt/attemptLock.ts';

/** A job whose lock the queue answers for as it is told. */
const jobOf = (extendLock: () => Promise<number>) => ({ id: 'tests~one', extendLock }) as unknown as Job;
const never = () => new Promise<number>(() => undefined);

test('an attempt that ends late does not take the next attempt at its job along', () => {
  const counts: number[] = [];
  const holds = createHolds((count) => counts.push(count));
  const late = holds.begin(jobOf(never), 'first');
  const next = holds.begin(jobOf(never), 'second');
  late.end();
  expect(counts).toEqual([1, 2, 1]);
  const reason = new Error('the service stops');
  holds.abortAll(reason);
  expect(next.signal.reason).toBe(reason);
  expect(late.signal.aborted).toBe(false);
});

test('an outcome is not written while the queue says that another attempt has the lock', async () => {
  const holds = createHolds(() => undefined);
  await expect(
    holds
      .begin(
        jobOf(async () => 1),
        'token',
      )
      .confirm(),
  ).resolves.toBeUndefined();
  await expect(
    holds
      .begin(
        jobOf(async () => 0),
        'token',
      )
      .confirm(),
  ).rejects.toThrow(LockLost);
});

test('who waits for the queue to confirm its lock hears that it is lost, though the attempt was stopped before', async () => {
  const holds = createHolds(() => undefined);
  const hold = holds.begin(jobOf(never), 'token');
  hold.abort(new Error('the deadline'));
  const confirming = hold.confirm();
  holds.lost(['tests~one']);
  await expect(confirming).rejects.toThrow(LockLost);
  expect(hold.signal.reason).toMatchObject({ message: 'the deadline' });
});
