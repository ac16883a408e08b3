import { describe, expect, it } from 'vitest';
import { atOnce } from '../../../src/concurrency/atOnce.ts';

describe('atOnce', () => {
  it('begins in order, never does more at a time than the limit, and answers in order', async () => {
    const begun: number[] = [];
    const open: (() => void)[] = [];
    let running = 0;
    let most = 0;
    const done = atOnce([10, 20, 30, 40, 50], 2, async (item, index) => {
      begun.push(index);
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => open.push(resolve));
      running--;
      return item + index;
    });
    // The last one that began ends first.
    for (let ended = 0; ended < 5; ) {
      const end = open.pop();
      if (end) {
        end();
        ended++;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await done).toEqual([10, 21, 32, 43, 54]);
    expect(begun).toEqual([0, 1, 2, 3, 4]);
    expect(most).toBe(2);
  });

  it('fails where one fails', async () => {
    await expect(
      atOnce([1, 2, 3], 2, async (item) => {
        if (item === 2) throw new Error('the second one');
      }),
    ).rejects.toThrow('the second one');
  });

  it('answers nothing for nothing', async () => {
    expect(await atOnce([], 3, async () => 1)).toEqual([]);
  });
});
