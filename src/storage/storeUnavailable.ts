import { PreviewError } from '../errors.ts';
import { hasCode } from './atomicWrite.ts';

/** What the disk says when it is full, gone, read-only or not ours (errno(3)). */
const DISK_CODES = [
  'ENOSPC',
  'EDQUOT',
  'EFBIG',
  'EROFS',
  'EACCES',
  'EPERM',
  'EIO',
  'ESTALE',
  'EMFILE',
  'ENFILE',
  // The folder was removed, or a file is where a folder should be, or the other way round.
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'EEXIST',
];

/**
 * Throws what the disk said as `store_unavailable`, and everything else as it is.
 * The path is in the cause only: the message may be shown to a stranger.
 */
export function rethrowUnavailable(error: unknown): never {
  if (!hasCode(error, ...DISK_CODES)) throw error;
  const code = error instanceof Error && 'code' in error ? ` (${error.code})` : '';
  throw new PreviewError(
    'store_unavailable',
    `The store cannot be used${code}; check the disk and the rights of DATA_DIR. Nothing was kept.`,
    { cause: error },
  );
}
