import { describe, expect, it } from 'vitest';
import { paceOf, retryAfterSeconds } from '../../../src/queue/pace.ts';

const every5Seconds = (...ended: number[]) => ended.map((count, i) => ({ at: 5000 * i, ended: count }));

describe('the pace of a queue', () => {
  it('is believed to be a job in two seconds before anything is known', () => {
    expect(paceOf([], [])).toBe(0.5);
  });

  it('is that of the last minutes and of what was seen since', () => {
    expect(paceOf([600, 600], [])).toBeCloseTo(9.27, 2);
    expect(paceOf([], every5Seconds(100, 200, 300, 400, 500))).toBeCloseTo(13.5, 2);
  });

  it('is not slowed down by times in which there was nothing to do', () => {
    expect(paceOf([600, 0, 0, 0, 600], [])).toBe(paceOf([600, 600], []));
    expect(paceOf([], every5Seconds(0, 0, 0, 100, 100, 100))).toBe(paceOf([], every5Seconds(0, 100)));
    expect(
      paceOf(
        [],
        [
          { at: 0, ended: 0 },
          { at: 3_600_000, ended: 5 },
        ],
      ),
    ).toBe(0.5);
  });
});

it.each([
  ['a quarter of the queue, at the pace of the last minutes', 20, 0.25, 20],
  ['more where more jobs wait', 80, 0.5, 40],
  ['at least a second', 4, 100, 1],
  ['at most a minute', 1000, 0.1, 60],
])('asks a refused sender to wait for %s', (_, waiting, perSecond, seconds) => {
  expect(retryAfterSeconds(waiting, perSecond)).toBe(seconds);
});
