import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PreviewError } from '../../errors.ts';
import { syncFolder } from '../folder/atomicWrite.ts';
import { hasCode, rethrowUnavailable } from '../storeUnavailable.ts';
import type { SigningKey } from './signedUrl.ts';

const FILE_NAME = 'signing-key.json';

/**
 * The key with which this installation signs URLs where none is configured: made once and kept in the data folder,
 * readable by its owner only. Of several processes that start at once, one makes it and all use it (link(2)).
 * @throws PreviewError `config_invalid` where the file is damaged, `store_unavailable` where it cannot be made
 */
export async function loadOrCreateSigningKey(folder: string): Promise<SigningKey> {
  const path = join(folder, FILE_NAME);
  try {
    const present = await readKey(path);
    if (present) return present;
    await mkdir(folder, { recursive: true });
    await createKey(folder, path);
    return (await readKey(path)) ?? damaged();
  } catch (error) {
    return rethrowUnavailable(error);
  }
}

async function createKey(folder: string, path: string): Promise<void> {
  const key: SigningKey = {
    id: randomBytes(4).toString('hex'),
    secret: randomBytes(32).toString('base64url'),
  };
  const temp = join(folder, `${FILE_NAME}.${randomBytes(8).toString('hex')}.tmp`);
  try {
    await writeFile(temp, JSON.stringify(key), { mode: 0o600, flush: true });
    await link(temp, path);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(temp, { force: true });
  }
  await syncFolder(folder);
}

/** The key in the file; undefined where there is no file. */
async function readKey(path: string): Promise<SigningKey | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    return undefined;
  }
  try {
    const { id, secret } = JSON.parse(text) as Partial<SigningKey>;
    return typeof id === 'string' && typeof secret === 'string' ? { id, secret } : damaged();
  } catch {
    return damaged();
  }
}

function damaged(): never {
  const message = `${FILE_NAME} in DATA_DIR is damaged; delete it and start the service again. URLs that it signed stop working.`;
  throw new PreviewError('config_invalid', message);
}
