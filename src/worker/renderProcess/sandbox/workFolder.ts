import { mkdtempSync, readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = `preview-render-${hostname()}-`;

/** Makes a folder for a process that this one starts; its name says whose it is. */
export function makeWorkFolder(): string {
  return mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-${startOf(process.pid)}-`));
}

/** Removes the folders of processes of this machine that are gone: a killed process cannot clean up. */
export async function sweepWorkFolders(): Promise<void> {
  const names = await readdir(tmpdir()).catch(() => []);
  for (const name of names) {
    const [, pid, start] = name.startsWith(PREFIX)
      ? (/^(\d+)-(\d+)-\w+$/.exec(name.slice(PREFIX.length)) ?? [])
      : [];
    if (pid === undefined || startOf(Number(pid)) === start) continue;
    await removeWorkFolder(join(tmpdir(), name));
  }
}

/** Another user's folder stays; what is left of a folder now, the next sweep takes. */
export function removeWorkFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true }).catch(() => undefined);
}

/** When a process began, in ticks since the machine did: a number that comes back is another process's (proc(5)). */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return isAlive(pid) ? '0' : undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
