import { expect, it } from 'vitest';
import { settlesWithin } from '../../../src/concurrency/settlesWithin.ts';

it('tells whether a promise settles in time', async () => {
  expect(await settlesWithin(Promise.resolve(), 10_000)).toBe(true);
  expect(await settlesWithin(new Promise(() => undefined), 10)).toBe(false);
  await expect(settlesWithin(Promise.reject(new Error('away')), 10_000)).rejects.toThrow('away');
});

it('leaves nothing behind: who fails late, fails unheard', async () => {
  let fail = (_: Error): void => undefined;
  const late = new Promise<void>((_, reject) => (fail = reject));
  expect(await settlesWithin(late, 10)).toBe(false);
  // Would end the test run if nobody heard it.
  fail(new Error('late'));
  await new Promise((resolve) => setImmediate(resolve));
});
