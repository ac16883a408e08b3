import { describe, expect, it } from 'vitest';
import { atOnce, createGate } from '../../../src/render/atOnce.ts';

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

describe('a gate', () => {
  it('lets as many through as it may, the others in the order in which they came, also after one that failed', async () => {
    const gate = createGate(2);
    const begun: number[] = [];
    const ends: ((error?: Error) => void)[] = [];
    const results = [0, 1, 2, 3].map((i) =>
      gate(async () => {
        begun.push(i);
        await new Promise<void>((resolve, reject) => {
          ends[i] = (error) => (error ? reject(error) : resolve());
        });
        return i;
      }),
    );
    const settled = Promise.allSettled(results);
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    await turn();
    expect(begun).toEqual([0, 1]);
    ends[1]?.(new Error('the second one'));
    await turn();
    expect(begun).toEqual([0, 1, 2]);
    ends[0]?.();
    await turn();
    expect(begun).toEqual([0, 1, 2, 3]);
    ends[2]?.();
    ends[3]?.();
    expect((await settled).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    // Nothing was lost on the way: two may begin again.
    for (const i of [4, 5, 6]) void gate(async () => begun.push(i) && new Promise(() => undefined));
    await turn();
    expect(begun.slice(4)).toEqual([4, 5]);
  });
});
