import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createPartMaker } from '../../../src/render/partMaker.ts';
import { part } from '../../../src/render/plan.ts';
import { createFsStore } from '../../../src/storage/fsStore.ts';

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
