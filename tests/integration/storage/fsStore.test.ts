import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createFsStore } from '../../../src/storage/fsStore.ts';
import { storeSuite } from './storeSuite.ts';

const folder = (): Promise<string> => mkdtemp(join(tmpdir(), 'preview-store-'));

storeSuite('file system', async () => {
  const path = await folder();
  return { store: await createFsStore(path), remove: () => rm(path, { recursive: true, force: true }) };
});

it('leaves no temp file behind, whatever happened', async () => {
  const path = await folder();
  const store = await createFsStore(path);
  const broken = store.putObject(
    (async function* () {
      yield Buffer.from('half');
      throw new Error('the sender went away');
    })(),
  );
  await expect(broken).rejects.toThrow('went away');
  await store.putObject(Buffer.from('whole'));
  expect(await readdir(join(path, 'tmp'))).toEqual([]);
  await rm(path, { recursive: true, force: true });
});
