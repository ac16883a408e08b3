import { randomBytes } from 'node:crypto';
import { type FileHandle, link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { hasCode } from '../storeUnavailable.ts';

/**
 * Files below one folder that exist whole or not at all: temp file → fsync → rename (or link) → fsync of the
 * folders. The fsync of the folders makes the new name itself survive a power cut (fsync(2), notes).
 */
export interface AtomicFolder {
  /** Opens a temp file in `tmp/`, on the same file system as the files that are made of it. */
  createTemp(): Promise<TempFile>;
  /** Makes the name of a file durable that another writer may have published a moment ago. */
  syncName(path: string): Promise<void>;
}

/** A file that is being written. Call one of the commits at most once, and always call `discard` at the end. */
export interface TempFile {
  /** Call it again only when it has returned. While a long file is written, its first parts already go to the disk. */
  write(chunk: Uint8Array): Promise<void>;
  /** Writes to the disk what a commit would otherwise have to wait for. Call it when everything is written. */
  sync(): Promise<void>;
  /** Gives the file its name; one that is there is replaced. */
  commit(path: string): Promise<void>;
  /** Gives the file its name unless the name is taken; link(2) fails for all but one of several writers. */
  commitOnce(path: string): Promise<boolean>;
  /** Closes and removes what is left of it; does nothing to a file that has its name. */
  discard(): Promise<void>;
}

/** Makes the folder where it is missing, and removes what dead processes left in its `tmp/`. */
export async function openAtomicFolder(root: string): Promise<AtomicFolder> {
  const tmp = join(root, 'tmp');
  await mkdir(tmp, { recursive: true });
  for (const name of await readdir(tmp)) {
    if (await isLeftover(tmp, name)) await rm(join(tmp, name), { force: true });
  }
  const syncName = createSyncName(root);
  return { createTemp: () => createTemp(tmp, syncName), syncName };
}

/** 30 MB took 62 ms with it and 90 without; 2 and 8 MB made no difference. */
const SYNC_BYTES = 4 << 20;

async function createTemp(tmp: string, syncName: AtomicFolder['syncName']): Promise<TempFile> {
  const temp = join(tmp, tempName());
  const file = await open(temp, 'wx', 0o644);
  let unsynced = 0;
  let isSynced = false;
  let syncing: Promise<void> | undefined;
  /** Begins to write what the kernel holds to the disk, so that little is left to wait for in the end. */
  const syncMeanwhile = (): void => {
    if (syncing || unsynced < SYNC_BYTES) return;
    unsynced = 0;
    const run = file.datasync().then(() => {
      syncing = undefined;
    });
    // The kernel reports a failure only once (fsync(2)), so it is kept for the commit.
    run.catch(() => undefined);
    syncing = run;
  };
  const sync = async (): Promise<void> => {
    if (isSynced) return;
    await syncing;
    await file.sync();
    isSynced = true;
  };
  const publish = async (path: string, giveName: () => Promise<void>): Promise<void> => {
    await sync();
    await file.close();
    try {
      await mkdir(dirname(path), { recursive: true });
      await giveName();
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
      // Garbage collection removed the folder, which was empty, in between.
      await mkdir(dirname(path), { recursive: true });
      await giveName();
    }
    await syncName(path);
  };
  return {
    async write(chunk) {
      for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
      isSynced = false;
      unsynced += chunk.length;
      syncMeanwhile();
    },
    sync,
    commit: (path) => publish(path, () => rename(temp, path)),
    async commitOnce(path) {
      let won = true;
      await publish(path, async () => {
        try {
          await link(temp, path);
        } catch (error) {
          if (!hasCode(error, 'EEXIST')) throw error;
          won = false;
        }
      });
      return won;
    },
    async discard() {
      await syncing?.catch(() => undefined);
      // Closing twice is allowed. A failed write may be reported again here (close(2)), but is known already.
      await file.close().catch(() => undefined);
      await rm(temp, { force: true });
    },
  };
}

/** How many folders are remembered. A store has 512 permanent ones, and one for each job. */
const FOLDERS_KEPT = 5000;

/**
 * Syncs the folder of a file, and those above it up to `root` that may be new, whoever made them. Folders that were synced are
 * remembered by an identity, which a folder that was removed and made again under the same name does not share.
 */
function createSyncName(root: string): AtomicFolder['syncName'] {
  const kept = new Map<string, string>();
  return async (path) => {
    const folders: { path: string; file: FileHandle; identity?: string }[] = [];
    try {
      for (let at = dirname(path); ; at = dirname(at)) {
        const folder: (typeof folders)[number] = { path: at, file: await open(at, 'r') };
        folders.push(folder);
        const { ino, birthtimeMs } = await folder.file.stat();
        // Numbers of removed folders are given to new ones, and not every file system knows when a folder was made.
        if (birthtimeMs > 0) folder.identity = `${ino} ${birthtimeMs}`;
        const isKept = folder.identity !== undefined && kept.get(at) === folder.identity;
        if (isKept || at === root || at === dirname(at)) break;
      }
      // In parallel: the file system writes its journal once for all who ask meanwhile.
      await Promise.all(folders.map(({ file }) => file.sync()));
    } finally {
      await Promise.all(folders.map(({ file }) => file.close()));
    }
    if (kept.size > FOLDERS_KEPT) kept.clear();
    for (const { path, identity } of folders) if (identity) kept.set(path, identity);
  };
}

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Host and process are in the name, so that a later start can tell whether the writer still lives. */
export function tempName(): string {
  return `${hostname()}~${process.pid}~${randomBytes(8).toString('hex')}`;
}

const DAY_MS = 86_400_000;
/** Time stamps of files lag behind the clock by up to a tick of the kernel; a second is plenty. */
const CLOCK_SLACK_MS = 1000;

/** True for a temp file whose writer is gone. */
async function isLeftover(tmp: string, name: string): Promise<boolean> {
  const [, host, pid] = /^(.+)~(\d+)~[0-9a-f]+$/.exec(name) ?? [];
  const modified = await modifiedMs(join(tmp, name));
  if (modified === undefined) return false;
  // Pids of other machines and containers, which may share the folder, say nothing here: their files get a day.
  if (host !== hostname()) return modified < Date.now() - DAY_MS;
  // A container that is started again has the pid of the time before.
  const startedMs = Date.now() - process.uptime() * 1000;
  if (Number(pid) === process.pid) return modified < startedMs - CLOCK_SLACK_MS;
  return !isAlive(Number(pid));
}

/** When the file was last written; undefined where it is gone, as temp files soon are. */
async function modifiedMs(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    return undefined;
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
