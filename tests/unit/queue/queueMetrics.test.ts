import { expect, it } from 'vitest';
import { retryAfterSeconds } from '../../../src/queue/queueMetrics.ts';

it.each([
  ['a quarter of the queue, at the rate of the last minutes', 20, 0.25, 20],
  ['a job in two seconds where no rate is known', 20, undefined, 10],
  ['at least a second', 4, 100, 1],
  ['at most a minute', 1000, 0.1, 60],
])('asks a refused sender to wait for %s', (_, waiting, perSecond, seconds) => {
  expect(retryAfterSeconds(waiting, perSecond)).toBe(seconds);
});
