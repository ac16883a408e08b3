import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from './atomicWrite.ts';
import type { SigningKey } from './signedUrl.ts';

/**
 * The key with which this installation signs URLs where none is configured: made once and kept in the data folder,
 * readable by its owner only. Of two processes that start at once, one makes it and both use it (link(2)).
 */
export async function loadOrCreateSigningKey(folder: string): Promise<SigningKey> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'signing-key.json');
  const mine = join(folder, `signing-key.${process.pid}.tmp`);
  const fresh: SigningKey = {
    id: randomBytes(4).toString('hex'),
    secret: randomBytes(32).toString('base64url'),
  };
  try {
    return JSON.parse(await readFile(path, 'utf8')) as SigningKey;
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
  await writeFile(mine, JSON.stringify(fresh), { mode: 0o600 });
  try {
    await link(mine, path);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(mine, { force: true });
  }
  return JSON.parse(await readFile(path, 'utf8')) as SigningKey;
}
