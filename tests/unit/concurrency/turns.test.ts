import { expect, it } from 'vitest';
import { createTurns } from '../../../src/concurrency/turns.ts';

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

it('lets who waits give up, and still nobody in before the earlier call has ended', async () => {
  const inTurn = createTurns();
  const seen: string[] = [];
  let end = (): void => undefined;
  const first = inTurn('a', () => new Promise<void>((resolve) => (end = resolve)));
  const giveUp = new AbortController();
  const second = inTurn('a', async () => seen.push('second'), giveUp.signal);
  const third = inTurn('a', async () => seen.push('third'));
  giveUp.abort(new Error('no longer wanted'));
  await expect(second).rejects.toThrow('no longer wanted');
  await new Promise((resolve) => setImmediate(resolve));
  expect(seen).toEqual([]);
  end();
  await Promise.all([first, third]);
  expect(seen).toEqual(['third']);
});

it('does not let in who has given up before', async () => {
  const inTurn = createTurns();
  const first = inTurn('a', async () => 'first');
  const second = inTurn('a', async () => 'second', AbortSignal.abort(new Error('too late')));
  await expect(second).rejects.toThrow('too late');
  expect(await first).toBe('first');
});
