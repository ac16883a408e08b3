import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readJson } from '../../../src/storage/folder/fsLayout.ts';
import { createJsonMemory } from '../../../src/storage/folder/jsonMemory.ts';
import { createLookAt } from '../../../src/storage/folder/lookAt.ts';

let folder: string;
const lookAt = await createLookAt(tmpdir());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'preview-memory-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** As the store does it: a file is replaced, never written to. */
async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

test('a file that has not changed is not read again', async () => {
  const path = join(folder, 'a.json');
  await replace(path, '{"a":1}');
  const memory = createJsonMemory(lookAt, readJson, 10);
  const first = await memory.read(path);
  expect(first).toEqual({ a: 1 });
  expect(await memory.read(path)).toBe(first);
});

test('what has been replaced, by a value of the same length too, is read anew', async () => {
  const path = join(folder, 'a.json');
  const memory = createJsonMemory(lookAt, readJson, 10);
  for (let i = 0; i < 20; i++) {
    await replace(path, `{"a":${10 + i}}`);
    expect(await memory.read(path)).toEqual({ a: 10 + i });
  }
});

test('what was removed, or is no JSON any more, is not there', async () => {
  const path = join(folder, 'a.json');
  const memory = createJsonMemory(lookAt, readJson, 10);
  expect(await memory.read(path)).toBeUndefined();
  await replace(path, '{"a":1}');
  expect(await memory.read(path)).toEqual({ a: 1 });
  await replace(path, '{"a":');
  expect(await memory.read(path)).toBeUndefined();
  await replace(path, '{"a":2}');
  expect(await memory.read(path)).toEqual({ a: 2 });
  await rm(path);
  expect(await memory.read(path)).toBeUndefined();
});

test('no more is remembered than was said', async () => {
  const memory = createJsonMemory(lookAt, readJson, 2);
  const paths = ['a', 'b', 'c'].map((name) => join(folder, name));
  for (const path of paths) await replace(path, '{}');
  const [a, b, c] = [
    await memory.read(paths[0] as string),
    await memory.read(paths[1] as string),
    await memory.read(paths[2] as string),
  ];
  expect(await memory.read(paths[2] as string)).toBe(c);
  expect(await memory.read(paths[1] as string)).toBe(b);
  expect(await memory.read(paths[0] as string)).not.toBe(a);
});
