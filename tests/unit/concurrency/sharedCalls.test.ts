import { describe, expect, it } from 'vitest';
import { coalesce, singleFlight } from '../../../src/concurrency/sharedCalls.ts';

/** Calls that end when they are told, and answer their number. */
function toldCalls() {
  const ends: { well(): void; ill(): void }[] = [];
  const call = (): Promise<number> => {
    const number = ends.length + 1;
    return new Promise((resolve, reject) => {
      ends.push({ well: () => resolve(number), ill: () => reject(new Error(`call ${number}`)) });
    });
  };
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { ends, call, settled };
}

describe('a single flight', () => {
  it('is shared by all who call while it is under way', async () => {
    const { ends, call } = toldCalls();
    const fly = singleFlight(call);
    const first = [fly(), fly()];
    expect(ends).toHaveLength(1);
    ends[0]?.well();
    expect(await Promise.all(first)).toEqual([1, 1]);
    const second = fly();
    ends[1]?.well();
    expect(await second).toBe(2);
  });

  it('that fails, fails for all of them, and the next one begins anew', async () => {
    const { ends, call } = toldCalls();
    const fly = singleFlight(call);
    const first = Promise.allSettled([fly(), fly()]);
    ends[0]?.ill();
    expect((await first).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const second = fly();
    ends[1]?.well();
    expect(await second).toBe(2);
  });
});

describe('coalesced calls', () => {
  it('have the one in common that begins after the one under way', async () => {
    const { ends, call, settled } = toldCalls();
    const ask = coalesce(call);
    const first = ask();
    await settled();
    const later = [ask(), ask(), ask()];
    await settled();
    expect(ends).toHaveLength(1);
    ends[0]?.well();
    expect(await first).toBe(1);
    await settled();
    expect(ends).toHaveLength(2);
    ends[1]?.well();
    expect(await Promise.all(later)).toEqual([2, 2, 2]);
  });

  it('do not fail with one that they did not share', async () => {
    const { ends, call, settled } = toldCalls();
    const ask = coalesce(call);
    const first = ask();
    await settled();
    const second = ask();
    ends[0]?.ill();
    await expect(first).rejects.toThrow('call 1');
    await settled();
    ends[1]?.well();
    expect(await second).toBe(2);
  });
});
