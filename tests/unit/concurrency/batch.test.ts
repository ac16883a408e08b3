import { expect, it } from 'vitest';
import { createBatch } from '../../../src/concurrency/batch.ts';

it('asks once for all that is wanted within a turn, and again in the next one', async () => {
  const calls: number[][] = [];
  const double = createBatch(async (numbers: number[]) => {
    calls.push(numbers);
    return numbers.map((number) => number * 2);
  });
  expect(await Promise.all([1, 2, 3].map(double))).toEqual([2, 4, 6]);
  expect(await double(4)).toBe(8);
  expect(calls).toEqual([[1, 2, 3], [4]]);
});

it('fails all who asked in the turn that failed, and nobody else', async () => {
  let turn = 0;
  const ask = createBatch(async (_: string[]) => {
    if (turn++ === 0) throw new Error('away');
    return ['here'];
  });
  const first = await Promise.allSettled([ask('a'), ask('b')]);
  expect(first.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await ask('c')).toBe('here');
});
