import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PreviewError } from '../errors.ts';
import type { JobRecord } from '../job/jobRecord.ts';
import type { ArtifactStore, StoredObject, StoredPart } from './artifactStore.ts';
import { type AtomicFolder, hasCode, openAtomicFolder, type TempFile } from './atomicWrite.ts';

/**
 * The store in a folder:
 * `objects/ab/abcd…`, `parts/ab/abcd….json`, `jobs/<jobId>/<projectId>.json`, `tmp/`.
 */
export async function createFsStore(folder: string): Promise<ArtifactStore> {
  const atomic = await openAtomicFolder(join(folder, 'tmp')).catch(rethrowUnavailable);
  const objectPath = (sha256: string): string => join(folder, 'objects', sha256.slice(0, 2), hex(sha256));
  const partPath = (key: string): string => join(folder, 'parts', key.slice(0, 2), `${hex(key)}.json`);
  const recordFolder = (jobId: string): string => join(folder, 'jobs', fileName(jobId));
  const recordPath = (projectId: string, jobId: string): string =>
    join(recordFolder(jobId), `${fileName(projectId)}.json`);

  const statObject = async (sha256: string): Promise<StoredObject | undefined> => {
    const file = await stat(objectPath(sha256)).catch(undefinedWhereMissing);
    return file && { sha256, bytes: file.size };
  };

  const store: ArtifactStore = {
    statObject,
    async putObject(source, expected = {}) {
      if (source instanceof Uint8Array) {
        const known = await statObject(digestOf(source));
        if (known?.bytes === source.length) return checkDigest(known, expected.sha256);
      }
      return withTemp(atomic, async (temp) => {
        const written = await writeAll(temp, source, expected.maxBytes);
        checkDigest(written, expected.sha256);
        const known = await statObject(written.sha256);
        if (known?.bytes !== written.bytes) await temp.commit(objectPath(written.sha256));
        return written;
      });
    },
    readObject: (sha256) => readFile(objectPath(sha256)).catch((error) => rethrowMissing(error, sha256)),
    async openObject(sha256, range) {
      if (!(await statObject(sha256))) throw missing(sha256);
      return createReadStream(objectPath(sha256), range ?? {});
    },

    async getPart(key) {
      const part = await readJson<StoredPart>(partPath(key));
      const object = part && (await statObject(part.sha256));
      return object?.bytes === part?.bytes ? part : undefined;
    },
    putPart: (key, part) =>
      withTemp(atomic, async (temp) => {
        await temp.write(Buffer.from(JSON.stringify(part)));
        await temp.commit(partPath(key));
      }),

    getRecord: (projectId, jobId) => readJson<JobRecord>(recordPath(projectId, jobId)),
    async findRecords(jobId) {
      const names = (await readdir(recordFolder(jobId)).catch(undefinedWhereMissing)) ?? [];
      const records = await Promise.all(
        names.map((name) => readJson<JobRecord>(join(recordFolder(jobId), name))),
      );
      return records.filter((record) => record !== undefined);
    },
    async putRecord(record) {
      const path = recordPath(record.projectId, record.jobId);
      const won = await withTemp(atomic, async (temp) => {
        await temp.write(Buffer.from(JSON.stringify(record)));
        return temp.commitOnce(path);
      });
      return won ? record : ((await readJson<JobRecord>(path)) ?? record);
    },

    check: () => withTemp(atomic, (temp) => temp.write(Buffer.from('ok'))).catch(rethrowUnavailable),
  };
  return store;
}

/** Runs `use` with a temp file that is gone afterwards, whatever happens. */
async function withTemp<Result>(
  atomic: AtomicFolder,
  use: (temp: TempFile) => Promise<Result>,
): Promise<Result> {
  const temp = await atomic.createTemp().catch(rethrowUnavailable);
  try {
    return await use(temp);
  } catch (error) {
    return rethrowUnavailable(error);
  } finally {
    await temp.discard();
  }
}

async function writeAll(
  temp: TempFile,
  source: Uint8Array | AsyncIterable<Uint8Array>,
  maxBytes = Number.POSITIVE_INFINITY,
): Promise<StoredObject> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of source instanceof Uint8Array ? [source] : source) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      throw new PreviewError(
        'asset_too_large',
        `The file is larger than the ${maxBytes} bytes that are accepted.`,
      );
    }
    hash.update(chunk);
    await temp.write(chunk);
  }
  return { sha256: hash.digest('hex'), bytes };
}

function checkDigest(object: StoredObject, expected: string | undefined): StoredObject {
  if (expected !== undefined && expected !== object.sha256) {
    throw new PreviewError(
      'asset_digest_mismatch',
      `The bytes have the SHA-256 ${object.sha256}, not ${expected}; send the file that the digest was made of.`,
    );
  }
  return object;
}

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Digests and keys become file names: nothing else may. */
function hex(digest: string): string {
  if (!/^[0-9a-f]{64}$/.test(digest)) throw new PreviewError('artifact_not_found');
  return digest;
}

/**
 * An id as a file name. `.` and `..` are ids; so is `A` beside `a`, which some file systems hold for one name: dots
 * at the front and capital letters are escaped by `%` and their code, and `%` is not in the ids' alphabet.
 */
function fileName(id: string): string {
  if (!/^[A-Za-z0-9._-]{1,128}$/.test(id)) throw new PreviewError('job_not_found');
  return id.replace(/^\.|[A-Z]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
}

async function readJson<Value>(path: string): Promise<Value | undefined> {
  const text = await readFile(path, 'utf8').catch(undefinedWhereMissing);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Value;
  } catch {
    // Written whole or not at all, so this is damage from outside: what cannot be read does not exist.
    return undefined;
  }
}

function undefinedWhereMissing(error: unknown): undefined {
  if (!hasCode(error, 'ENOENT', 'ENOTDIR')) rethrowUnavailable(error);
  return undefined;
}

const missing = (sha256: string): PreviewError =>
  new PreviewError('artifact_not_found', `There is no object ${sha256} in the store.`);

function rethrowMissing(error: unknown, sha256: string): never {
  if (hasCode(error, 'ENOENT')) throw missing(sha256);
  return rethrowUnavailable(error);
}

/** What the disk says when it is full, gone or not ours. */
function rethrowUnavailable(error: unknown): never {
  if (
    !hasCode(
      error,
      'ENOSPC',
      'EDQUOT',
      'EROFS',
      'EACCES',
      'EPERM',
      'EIO',
      'EMFILE',
      'EFBIG',
      'ENOTDIR',
      'EEXIST',
    )
  )
    throw error;
  throw new PreviewError('store_unavailable', 'The store cannot be used; nothing was kept.', {
    cause: error,
  });
}
