import { type Stats, statSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { undefinedWhereMissing } from './fsLayout.ts';

/** What is known of a file; undefined where there is none. */
export type LookAt = (path: string) => Promise<Stats | undefined>;

/** File systems of this machine, by the numbers of statfs(2): ext2 to ext4, XFS, Btrfs, F2FS, ZFS, tmpfs, overlayfs. */
const OF_THIS_MACHINE = new Set([
  0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0x01021994, 0x794c7630,
]);

/**
 * Chooses how to look at files below the folder. On a disk of this machine the kernel answers at once: asking takes 3
 * microseconds, handing the question to a thread 80. A network file system may be slow, so there a thread waits.
 */
export async function createLookAt(folder: string): Promise<LookAt> {
  const { type } = await statfs(folder);
  if (!OF_THIS_MACHINE.has(type)) return (path) => stat(path).catch(undefinedWhereMissing);
  return async (path) => {
    try {
      return statSync(path, { throwIfNoEntry: false });
    } catch (error) {
      return undefinedWhereMissing(error);
    }
  };
}
