import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLookAt } from '../../../src/storage/folder/lookAt.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'preview-look-'));
  await writeFile(join(folder, 'file'), 'four');
});
afterAll(() => rm(folder, { recursive: true }));

// The kernel's own file system is none of the machine's disks, so there a thread is asked to look.
describe.each([
  ['by the process', () => createLookAt(folder)],
  ['by a thread', () => createLookAt('/proc')],
])('a look %s', (_name, create) => {
  test('tells the size of a file', async () => {
    const lookAt = await create();
    expect((await lookAt(join(folder, 'file')))?.size).toBe(4);
  });

  test('finds nothing where there is no file, no folder, or a file instead of a folder', async () => {
    const lookAt = await create();
    expect(await lookAt(join(folder, 'other'))).toBeUndefined();
    expect(await lookAt(join(folder, 'other', 'file'))).toBeUndefined();
    expect(await lookAt(join(folder, 'file', 'below'))).toBeUndefined();
  });

  test('hands on what else the system has to say', async () => {
    const lookAt = await create();
    await expect(lookAt(join(folder, 'n'.repeat(300)))).rejects.toThrow('ENAMETOOLONG');
  });
});
