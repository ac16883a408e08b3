import { createHash } from 'node:crypto';
import { realpath, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { PreviewError } from '../errors.ts';
import { hasCode } from '../storage/atomicWrite.ts';

/**
 * An exclusive lock on a folder that the kernel releases when the process dies, however it dies.
 *
 * Node has no flock(2). A listening socket in Linux's abstract namespace (unix(7)) does what is wanted: a name is
 * bound by one process only, leaves no file behind, and is free again the moment its process is gone. Who asks for a
 * name that is taken is told the owner's pid over that same socket. Elsewhere the socket is a file in the folder; a
 * file that nobody listens on any more is replaced.
 * @throws PreviewError `embedded_queue_locked`, with the owner's pid
 */
export async function lockFolder(folder: string): Promise<{ release(): Promise<void> }> {
  const address = socketAddress(await realpath(folder));
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(String(process.pid));
  });
  try {
    await listen(server, address);
  } catch (error) {
    if (!hasCode(error, 'EADDRINUSE')) throw error;
    const pid = await ownerPid(address);
    if (pid !== undefined || address.startsWith('\0')) throw locked(pid);
    await rm(address, { force: true });
    await listen(server, address);
  }
  // The lock lasts as long as the process, but does not keep it alive.
  server.unref();
  return {
    release: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function socketAddress(folder: string): string {
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 32);
  return process.platform === 'linux' ? `\0preview-worker-${name}` : join(folder, 'lock.sock');
}

function listen(server: Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

/** The pid that the owner of the socket answers with; undefined where nobody answers within half a second. */
function ownerPid(address: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(address);
    const finish = (): void => {
      socket.destroy();
      resolve(answer === '' ? undefined : Number(answer));
    };
    socket.setTimeout(500, finish);
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.on('error', finish);
    socket.on('end', finish);
  });
}

function locked(pid: number | undefined): PreviewError {
  const owner = pid === undefined ? 'Another process' : `Process ${pid}`;
  const message = `${owner} uses the embedded queue of this data folder; stop it, choose another DATA_DIR, or use Redis for more than one process.`;
  return new PreviewError('embedded_queue_locked', message);
}
