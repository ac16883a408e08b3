import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createUrlSigner } from '../../../src/storage/signedUrls/signedUrl.ts';
import { loadOrCreateSigningKey } from '../../../src/storage/signedUrls/signingKeys.ts';
import { processFile } from '../../support/processes.ts';

const STORE_PROCESS = processFile('storeProcess');

describe('the signing key of an installation', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'preview-key-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is made once, long enough, and for its owner only', async () => {
    const dataDir = join(folder, 'made', 'on', 'the', 'way');
    const key = await loadOrCreateSigningKey(dataDir);
    expect(await loadOrCreateSigningKey(dataDir)).toEqual(key);
    expect(() => createUrlSigner({ keys: () => [key], ttlSeconds: 60 })).not.toThrow();
    expect(await readdir(dataDir)).toEqual(['signing-key.json']);
    expect((await stat(join(dataDir, 'signing-key.json'))).mode & 0o777).toBe(0o600);
  });

  it('is another one in another folder', async () => {
    const one = await loadOrCreateSigningKey(join(folder, 'one'));
    const two = await loadOrCreateSigningKey(join(folder, 'two'));
    expect(one.secret).not.toBe(two.secret);
  });

  it('is the same for all who start at once', async () => {
    const keys = await Promise.all(Array.from({ length: 10 }, () => loadOrCreateSigningKey(folder)));
    expect(new Set(keys.map(({ secret }) => secret)).size).toBe(1);
    expect(await readdir(folder)).toEqual(['signing-key.json']);
  });

  it('is the same for processes that start at once', async () => {
    const processes = Array.from({ length: 4 }, () => fork(STORE_PROCESS, ['key', folder]));
    const answers = await Promise.all(processes.map((child) => once(child, 'message')));
    const own = await loadOrCreateSigningKey(folder);
    expect(answers).toEqual(processes.map(() => [own, undefined]));
  });

  it.each(['', '{', 'null', '{"id":"a"}'])('is refused where the file holds %j', async (damage) => {
    await writeFile(join(folder, 'signing-key.json'), damage);
    const error = await loadOrCreateSigningKey(folder).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'config_invalid', message: expect.stringContaining('damaged') });
    expect(String(error)).not.toContain(folder);
  });
});
