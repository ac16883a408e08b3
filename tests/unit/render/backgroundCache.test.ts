import { describe, expect, it } from 'vitest';
import type { Background } from '../../../src/render/slides/background.ts';
import { createBackgroundCache } from '../../../src/render/slides/backgroundCache.ts';

const background = (bytes: number): Background => ({
  picture: { width: 1, height: 1, data: Buffer.alloc(bytes) },
  place: { left: 0, top: 0, width: 1, height: 1 },
});

/** Counts how often each key was painted. */
function counting(maxBytes: number) {
  const painted: string[] = [];
  const backgrounds = createBackgroundCache(maxBytes);
  const get = (key: string, bytes = 40) =>
    backgrounds.get(key, async () => {
      painted.push(key);
      return background(bytes);
    });
  return { painted, backgrounds, get };
}

describe('backgrounds', () => {
  it('are painted once, also for two that ask at the same time', async () => {
    const { painted, get } = counting(100);
    const [one, two] = await Promise.all([get('a'), get('a')]);
    expect(await get('a')).toBe(one);
    expect(two).toBe(one);
    expect(painted).toEqual(['a']);
  });

  it('go when there are too many, the one that was not used for longest first', async () => {
    const { painted, get } = counting(100);
    await get('a');
    await get('b');
    await get('a');
    await get('c');
    await get('a');
    await get('b');
    expect(painted).toEqual(['a', 'b', 'c', 'b']);
  });

  it('that are larger than all room are painted each time', async () => {
    const { painted, get } = counting(100);
    await get('a', 101);
    await get('a', 101);
    expect(painted).toEqual(['a', 'a']);
  });

  it('that could not be painted are tried again', async () => {
    const { backgrounds, get, painted } = counting(100);
    const failing = backgrounds.get('a', async () => {
      throw new Error('damaged');
    });
    await expect(failing).rejects.toThrow('damaged');
    await get('a');
    expect(painted).toEqual(['a']);
  });
});
