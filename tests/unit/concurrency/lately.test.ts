import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { lately } from '../../../src/concurrency/lately.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

it('spares who comes soon after a call that went well the same call, and nobody after one that did not', async () => {
  const answers = ['well', 'ill', 'well'];
  let calls = 0;
  const check = lately(async () => {
    if (answers[calls++] === 'ill') throw new Error('full');
  }, 100);
  await check();
  vi.advanceTimersByTime(99);
  await check();
  expect(calls).toBe(1);
  vi.advanceTimersByTime(1);
  await expect(check()).rejects.toThrow('full');
  await check();
  await check();
  expect(calls).toBe(3);
});

it('counts from when the call began: what happened while it ran is not known', async () => {
  let calls = 0;
  const check = lately(async () => {
    calls++;
    vi.advanceTimersByTime(80);
  }, 100);
  await check();
  vi.advanceTimersByTime(20);
  await check();
  expect(calls).toBe(2);
});
