import { createHash } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoredObject } from '../artifactStore.ts';
import { checkSize } from '../storeRules.ts';

/** A path for a file of one's own, which is removed afterwards. */
export async function withTempFile<Result>(use: (path: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'preview-upload-'));
  try {
    return await use(join(folder, 'object'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes a file, and says what it is. @throws PreviewError `asset_too_large` */
export async function spool(
  source: AsyncIterable<Uint8Array>,
  path: string,
  maxBytes: number | undefined,
): Promise<StoredObject> {
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(path, 'wx');
  try {
    for await (const chunk of source) {
      bytes += chunk.length;
      checkSize(bytes, maxBytes);
      hash.update(chunk);
      await file.write(chunk);
    }
  } finally {
    await file.close();
  }
  return { sha256: hash.digest('hex'), bytes };
}
