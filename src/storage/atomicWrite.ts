import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Files that are there whole or not at all: temp file → fsync → rename (or link) → fsync of the folder. The fsync
 * of the folder makes the new name itself survive a power cut (fsync(2), notes).
 */
export interface AtomicFolder {
  /** Opens a temp file on the same file system; its name starts with the pid, so that a later start can tell. */
  createTemp(): Promise<TempFile>;
}

export interface TempFile {
  write(chunk: Uint8Array): Promise<void>;
  /** Gives the file its name; one that is there is replaced. */
  commit(path: string): Promise<void>;
  /** Gives the file its name unless the name is taken; link(2) fails for all but one of several writers. */
  commitOnce(path: string): Promise<boolean>;
  discard(): Promise<void>;
}

export async function openAtomicFolder(folder: string): Promise<AtomicFolder> {
  await mkdir(folder, { recursive: true });
  await removeLeftovers(folder);
  return { createTemp: () => createTemp(folder) };
}

async function createTemp(folder: string): Promise<TempFile> {
  const temp = join(folder, `${process.pid}-${randomBytes(8).toString('hex')}`);
  const file = await open(temp, 'wx', 0o644);
  const finish = async (path: string, publish: () => Promise<void>): Promise<void> => {
    await file.sync();
    await file.close();
    const created = await mkdir(dirname(path), { recursive: true });
    if (created) await syncFolder(dirname(created));
    await publish();
    await syncFolder(dirname(path));
  };
  return {
    async write(chunk) {
      for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
    },
    commit: (path) => finish(path, () => rename(temp, path)),
    async commitOnce(path) {
      let won = true;
      await finish(path, async () => {
        try {
          await link(temp, path);
        } catch (error) {
          if (!hasCode(error, 'EEXIST')) throw error;
          won = false;
        } finally {
          await rm(temp, { force: true });
        }
      });
      return won;
    },
    async discard() {
      await file.close().catch((error: unknown) => {
        // Already closed by a commit that failed later: nothing is open any more.
        if (!hasCode(error, 'EBADF')) throw error;
      });
      await rm(temp, { force: true });
    },
  };
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Removes temp files whose process is gone. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = Number.parseInt(name, 10);
    if (pid !== process.pid && !isAlive(pid)) await rm(join(folder, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
