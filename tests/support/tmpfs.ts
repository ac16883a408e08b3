import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Lays a small disk of its own over a folder. */
export function mountTmpfs(folder: string, size: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
}

export function unmount(folder: string): void {
  execFileSync('umount', [folder]);
}

/** Whether this process may mount a disk: that takes Linux and root, and not every container allows it to root. */
export const canMount = ((): boolean => {
  const folder = mkdtempSync(join(tmpdir(), 'preview-mount-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
  if (status === 0) unmount(folder);
  rmdirSync(folder);
  return status === 0;
})();
