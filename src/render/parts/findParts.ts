import { atOnce } from '../../concurrency/atOnce.ts';
import type { StoredPart } from '../../storage/artifactStore.ts';

/** Parts that are looked up at the same time: as many as an S3 client has connections. The store in a folder opens fewer files. */
const AT_ONCE = 50;

/** Looks for the parts of all keys, which may be a thousand; answers in the order of the keys. */
export const findParts = (
  keys: readonly string[],
  find: (key: string) => Promise<StoredPart | undefined>,
): Promise<(StoredPart | undefined)[]> => atOnce(keys, AT_ONCE, find);
