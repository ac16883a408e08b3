import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { PreviewError } from '../errors.ts';

/**
 * Opens a file below `baseFolder`; symbolic links that lead out of it are refused.
 * @param path relative to `baseFolder`, as it stands in the job
 * @throws PreviewError `asset_missing`, `asset_address_refused`; so does the stream that it answers
 */
export async function openFile(path: string, baseFolder: string): Promise<AsyncIterable<Uint8Array>> {
  const base = await realpath(baseFolder);
  const file = await realpath(resolve(base, path)).catch((cause: unknown) => {
    throw new PreviewError('asset_missing', `the file ${path} is not there.`, { cause });
  });
  if (!isBelow(file, base)) {
    throw new PreviewError('asset_address_refused', `the file ${path} is not below the job's folder.`);
  }
  if (!(await stat(file)).isFile()) throw new PreviewError('asset_missing', `${path} is not a file.`);
  return readFileOf(file, path);
}

function isBelow(file: string, base: string): boolean {
  const way = relative(base, file);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

async function* readFileOf(file: string, path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(file);
  } catch (cause) {
    throw new PreviewError('asset_missing', `the file ${path} cannot be read; check its permissions.`, {
      cause,
    });
  }
}
