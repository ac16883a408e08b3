/**
 * Landlock (Documentation/userspace-api/landlock.rst): a process without rights gives up what of the file system, of the
 * network and of other processes it does not need.
 */

/** Before its second version a confined process could not move a file to another folder, and the store does. */
const OLDEST = 2;

const EXECUTE = 1 << 0;
const WRITE_FILE = 1 << 1;
const READ_FILE = 1 << 2;
const READ_DIR = 1 << 3;
const REMOVE = (1 << 4) | (1 << 5);
/** Folders and plain files, and no devices, sockets, pipes or links. */
const MAKE = (1 << 7) | (1 << 8);
const REFER = 1 << 13;
const TRUNCATE = 1 << 14;
const IOCTL_DEV = 1 << 15;
/** What a rule for a file, rather than a folder, may speak of. */
const OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV;

/** `list`: the names in a folder. */
export type Access = 'list' | 'read' | 'execute' | 'write';

/** What is asked of the kernel, in numbers. */
export interface Ruleset {
  /** `struct landlock_ruleset_attr` as this version knows it. */
  attributes: Buffer;
  rights: Record<Access, number>;
  ofFiles: number;
}

/** @param version as `landlock_create_ruleset` answers it; undefined where that is too old */
export function rulesetFor(version: number): Ruleset | undefined {
  if (version < OLDEST) return undefined;
  const all = 2 ** (version >= 5 ? 16 : version >= 3 ? 15 : 14) - 1;
  const attributes = Buffer.alloc(version >= 6 ? 24 : version >= 4 ? 16 : 8);
  attributes.writeBigUInt64LE(BigInt(all));
  // No TCP, to bind or to connect; no abstract Unix sockets and no signals out of the confinement.
  if (version >= 4) attributes.writeBigUInt64LE(3n, 8);
  if (version >= 6) attributes.writeBigUInt64LE(3n, 16);
  const read = READ_FILE | READ_DIR;
  return {
    attributes,
    rights: {
      list: READ_DIR,
      read,
      execute: read | EXECUTE,
      write: (read | WRITE_FILE | REMOVE | MAKE | REFER | TRUNCATE) & all,
    },
    ofFiles: OF_FILES & all,
  };
}
