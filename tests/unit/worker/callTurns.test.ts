import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createTurns, lately } from '../../../src/worker/callTurns.ts';

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

it('runs the calls of one key in turn, also after one that failed, and others meanwhile', async () => {
  const inTurn = createTurns();
  const seen: string[] = [];
  const call =
    (name: string, fails = false) =>
    async () => {
      seen.push(`${name} begins`);
      await Promise.resolve();
      seen.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    };
  const all = [inTurn('a', call('a1', true)), inTurn('a', call('a2')), inTurn('b', call('b1'))];
  const outcomes = await Promise.allSettled(all);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  expect(seen.indexOf('a1 ends')).toBeLessThan(seen.indexOf('a2 begins'));
  expect(seen.indexOf('b1 begins')).toBeLessThan(seen.indexOf('a1 ends'));
});
