import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createTurns, lately, oneEachTurn } from '../../../src/worker/attempt/callTurns.ts';

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

it('lets one go on in each turn of the event loop, in the order in which they came', async () => {
  const turn = oneEachTurn();
  const said: string[] = [];
  const caller = async (name: string): Promise<void> => {
    await turn();
    said.push(`${name} begins`);
    for (let hop = 0; hop < 10; hop++) await Promise.resolve();
    said.push(`${name} has sent`);
  };
  await Promise.all(['a', 'b', 'c'].map(caller));
  expect(said).toEqual(['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} has sent`]));
  // Who comes alone waits for nobody: what is due in the next turn has not happened yet.
  await new Promise((resolve) => setImmediate(resolve));
  let isNextTurn = false;
  setImmediate(() => {
    isNextTurn = true;
  });
  await turn();
  expect(isNextTurn).toBe(false);
});
