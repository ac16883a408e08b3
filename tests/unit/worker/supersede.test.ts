import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { QueuedJob } from '../../../src/queue/queuedJob.ts';
import { nextTurn, superseded } from '../../../src/worker/supersede.ts';
import { smallJob } from '../../support/service.ts';

const queued = (submission: string, turn: number): QueuedJob => ({
  job: smallJob(submission),
  submission,
  acceptedAt: '2026-01-01T00:00:00.000Z',
  turn,
});

test('a job that is sent after others is newer, however late the clock of its machine is', () => {
  expect(nextTurn([], 1000)).toBe(1000);
  expect(nextTurn([queued('a', 1000), queued('b', 5000)], 2000)).toBe(5001);
});

test('whoever looks finds the same one newest, and one always stays', () => {
  const turns = fc.uniqueArray(fc.tuple(fc.uuid(), fc.integer({ min: 0, max: 3 })), {
    minLength: 1,
    selector: ([submission]) => submission,
  });
  fc.assert(
    fc.property(turns, (given) => {
      const candidates = given.map(([submission, turn]) => ({ data: queued(submission, turn) }));
      const one = superseded(candidates);
      const other = superseded([...candidates].reverse());
      expect(one).toEqual(other);
      expect(one).toHaveLength(candidates.length - 1);
    }),
  );
});
