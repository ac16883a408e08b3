import { PreviewError } from '../errors.ts';

/** Errors of a disk that is full, gone, read-only or not ours (errno(3)). */
const DISK_CODES = [
  'ENOSPC',
  'EDQUOT',
  'EFBIG',
  'EROFS',
  'EACCES',
  'EPERM',
  'EIO',
  'ESTALE',
  // The folder was removed, or a file is where a folder should be, or the other way round.
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'EEXIST',
];

/** Errors of too many open files (open(2)), with what to do. The disk is well then. */
const OPEN_FILES_CODES: Record<string, string> = {
  EMFILE:
    'this process has too many files open: raise its limit with `ulimit -n`, or LimitNOFILE= in a systemd unit',
  ENFILE: 'this machine has too many files open: raise fs.file-max with sysctl',
};

/**
 * Throws errors of the disk as `store_unavailable`, and all others unchanged. The path is only in the cause, because anybody
 * may see the message.
 */
export function rethrowUnavailable(error: unknown): never {
  if (!hasCode(error, ...DISK_CODES, ...Object.keys(OPEN_FILES_CODES))) throw error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason = OPEN_FILES_CODES[code] ?? 'check the disk and the rights of DATA_DIR';
  throw new PreviewError(
    'store_unavailable',
    `The store cannot be used (${code}); ${reason}. Nothing was kept.`,
    { cause: error },
  );
}

/** True for an error of the operating system with one of the codes. */
export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
