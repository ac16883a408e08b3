import { describe, expect, it } from 'vitest';
import { createSemaphore } from '../../../src/concurrency/semaphore.ts';

describe('a semaphore', () => {
  it('runs no more at a time than its limit, in the order in which they came', async () => {
    const run = createSemaphore(2);
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    let running = 0;
    const work = (name: number) => async (): Promise<number> => {
      begun.push(name);
      expect(++running).toBeLessThanOrEqual(2);
      await new Promise<void>((resolve) => ends.push(resolve));
      running--;
      return name;
    };
    const all = Promise.all([1, 2, 3, 4, 5].map((name) => run(work(name))));
    for (let ended = 0; ended < 5; ) {
      const end = ends.shift();
      if (end) {
        end();
        ended++;
        // Who comes just now does not go before those who wait.
        if (ended === 1) void run(work(6));
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await all).toEqual([1, 2, 3, 4, 5]);
    expect(begun).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('goes on where one fails', async () => {
    const run = createSemaphore(1);
    const failing = run(() => Promise.reject(new Error('the first one')));
    const next = run(async () => 'the next one');
    await expect(failing).rejects.toThrow('the first one');
    expect(await next).toBe('the next one');
  });
});
