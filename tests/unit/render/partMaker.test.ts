import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { part } from '../../../src/render/parts/part.ts';
import { createPartMaker } from '../../../src/render/parts/partMaker.ts';
import { createFsStore } from '../../../src/storage/folder/fsStore.ts';

test('an error says which part was being made: the innermost one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'preview-parts-'));
  try {
    const parts = createPartMaker(await createFsStore(folder), new AbortController().signal);
    const failing = parts.make(part('segment', {}), async () => {
      await parts.make(part('slide', {}), () => Promise.reject(new Error('too little memory')));
      return { bytes: Buffer.from('') };
    });
    await expect(failing).rejects.toMatchObject({
      code: 'render_failed',
      place: { part: 'slide' },
      cause: { message: 'too little memory' },
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('bytes are there before they are stored, are made once, and are stored when all is settled', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'preview-parts-'));
  try {
    const store = await createFsStore(folder);
    const order: string[] = [];
    let made = 0;
    const slow: typeof store = {
      ...store,
      async putObject(...given) {
        const stored = await store.putObject(...given);
        order.push('stored');
        return stored;
      },
    };
    const parts = createPartMaker(slow, new AbortController().signal);
    const planned = part('still', { of: 1 });
    const build = async () => ({ bytes: Buffer.from(`still ${++made}`), meta: { warnings: [] } });
    const both = await Promise.all([parts.bytes(planned, build), parts.bytes(planned, build)]);
    order.push('had');
    expect(both.map(String)).toEqual(['still 1', 'still 1']);
    await parts.settled();
    expect(order).toEqual(['had', 'stored']);
    expect(await store.getPart(planned.key)).toMatchObject({ bytes: 7, meta: { warnings: [] } });
    expect(await parts.find(planned.key)).toMatchObject({ bytes: 7 });

    const later = createPartMaker(store, new AbortController().signal);
    expect(String(await later.bytes(planned, build))).toBe('still 1');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('that bytes cannot be stored is told to who waits for all to be settled', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'preview-parts-'));
  try {
    const store = await createFsStore(folder);
    const full = { ...store, putObject: () => Promise.reject(new Error('the disk is full')) };
    const parts = createPartMaker(full, new AbortController().signal);
    const planned = part('still', { of: 2 });
    expect(String(await parts.bytes(planned, async () => ({ bytes: Buffer.from('still') })))).toBe('still');
    await expect(parts.settled()).rejects.toThrow('the disk is full');
    expect(await store.getPart(planned.key)).toBeUndefined();
  } finally {
    await rm(folder, { recursive: true });
  }
});
