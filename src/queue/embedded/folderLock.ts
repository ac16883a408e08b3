import { createHash } from 'node:crypto';
import { open, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { PreviewError } from '../../errors.ts';
import { hasCode } from '../../storage/storeUnavailable.ts';

export interface FolderLock {
  release(): Promise<void>;
}

/**
 * An exclusive lock on a folder that the kernel releases when the process dies, however it dies.
 *
 * Node has no flock(2), and a file that holds a pid outlives its process; a listening socket does not. Two are taken:
 *
 * - On Linux one in the abstract namespace (unix(7)): a name is bound by one process only, leaves no file behind, and
 *   is free again the moment its process is gone, so of two processes that start together one wins.
 * - Everywhere one that is a file, `<folder>.sock`. Containers that share the folder do not share the abstract
 *   namespace, but reach the file. A file that refuses connections is left over from a dead process and is replaced.
 *
 * Who is refused reads the owner's pid from `<folder>.pid`: the owner itself may be too busy to answer.
 * @throws PreviewError `embedded_queue_locked`, with the owner's pid
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = await realpath(folder);
  const held: FolderLock[] = [];
  const release = async (): Promise<void> => {
    await Promise.all(held.map((lock) => lock.release()));
  };
  try {
    if (process.platform === 'linux') held.push(await takeName(path));
    const file = await takeFile(path);
    if (file) held.push(file);
    await writeFile(`${path}.pid`, String(process.pid));
  } catch (error) {
    await release();
    throw error;
  }
  return { release };
}

async function takeName(folder: string): Promise<FolderLock> {
  const digest = createHash('sha256').update(folder).digest('hex').slice(0, 32);
  const server = await listen(`\0preview-worker-${digest}`);
  return server ? { release: () => closed(server) } : refuse(folder);
}

/** Undefined on a file system of Linux that has no sockets; the abstract name must do there. */
async function takeFile(folder: string): Promise<FolderLock | undefined> {
  const place = await openPlace(folder);
  try {
    const server = (await listen(place.address)) ?? (await replaceLeftover(place.address));
    if (!server) return await refuse(folder);
    return { release: () => closed(server).then(place.close) };
  } catch (error) {
    await place.close();
    if (error instanceof PreviewError || process.platform !== 'linux') throw error;
    return undefined;
  }
}

async function replaceLeftover(address: string): Promise<Server | undefined> {
  if (await isListening(address)) return undefined;
  await rm(address, { force: true });
  return listen(address);
}

/**
 * An address of `<folder>.sock` that fits into the 108 bytes of a sun_path (unix(7)); Node cuts a longer one off without
 * a word. On Linux the long way to the file is hidden behind a descriptor, which stays open as long as the socket.
 */
async function openPlace(folder: string): Promise<{ address: string; close(): Promise<void> }> {
  if (process.platform === 'linux') {
    const parent = await open(dirname(folder));
    const address = `/proc/self/fd/${parent.fd}/${basename(folder)}.sock`;
    return { address, close: () => parent.close() };
  }
  const address = join(dirname(folder), `${basename(folder)}.sock`);
  if (Buffer.byteLength(address) > 103) {
    throw new PreviewError('config_invalid', 'The path of DATA_DIR is too long; choose a shorter one.');
  }
  return { address, close: async () => undefined };
}

/** Undefined where the address is taken. */
function listen(address: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error) => (hasCode(error, 'EADDRINUSE') ? resolve(undefined) : reject(error)));
    // The lock lasts as long as the process, but does not keep it alive.
    server.listen(address, () => resolve(server.unref()));
  });
}

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
  });

/** The kernel accepts for a listening process, however busy it is, and refuses for one that is gone. */
function isListening(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => resolve(!hasCode(error, 'ECONNREFUSED', 'ENOENT')));
  });
}

async function refuse(folder: string): Promise<never> {
  const pid = await readFile(`${folder}.pid`, 'utf8').catch(() => '');
  const owner = pid === '' ? 'Another process' : `Process ${pid}`;
  throw new PreviewError(
    'embedded_queue_locked',
    `${owner} uses the embedded queue of this data folder; stop it, choose another DATA_DIR, or use Redis for more than one process.`,
  );
}
