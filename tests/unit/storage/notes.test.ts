import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ArtifactStore } from '../../../src/storage/artifactStore.ts';
import { createFsStore } from '../../../src/storage/folder/fsStore.ts';
import { getNote, putNote } from '../../../src/storage/notes.ts';

const KEY = 'a'.repeat(64);
let folder: string;
let store: ArtifactStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'preview-notes-'));
  store = await createFsStore(folder);
});
afterEach(() => rm(folder, { recursive: true }));

it('says what was noted of an object, as long as there is the object', async () => {
  expect(await getNote(store, KEY)).toBeUndefined();
  const object = await store.putObject(Buffer.from('a photo'));
  await putNote(store, KEY, object, { seconds: 2 });
  expect(await getNote(store, KEY)).toEqual({ seconds: 2 });
  await rm(join(folder, 'objects'), { recursive: true });
  expect(await getNote(await createFsStore(folder), KEY)).toBeUndefined();
});

it('knows a note that says nothing from none', async () => {
  await putNote(store, KEY, await store.putObject(Buffer.from('a photo')), {});
  expect(await getNote(store, KEY)).toEqual({});
});

it('finds what was kept as a part before there were notes', async () => {
  const object = await store.putObject(Buffer.from('a photo'));
  await store.putPart(KEY, { ...object, meta: { failure: 'it is damaged' } });
  expect(await getNote(store, KEY)).toEqual({ failure: 'it is damaged' });
});
