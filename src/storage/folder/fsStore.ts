import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { open, readdir, rm, statfs, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { createSemaphore } from '../../concurrency/semaphore.ts';
import { coalesce } from '../../concurrency/sharedCalls.ts';
import { PreviewError } from '../../errors.ts';
import type { JobRecord } from '../../job/jobRecord.ts';
import type { ArtifactStore, StoredObject } from '../artifactStore.ts';
import { asPart, asRecord, asUpload, checkDigest, checkSize, digestOf } from '../storeRules.ts';
import { hasCode, rethrowUnavailable } from '../storeUnavailable.ts';
import { type AtomicFolder, openAtomicFolder, type TempFile } from './atomicWrite.ts';
import { createFsEndedList } from './fsEndedList.ts';
import { layoutOf, namesIn, readJson, undefinedWhereMissing } from './fsLayout.ts';
import { createJsonMemory } from './jsonMemory.ts';
import { createLookAt } from './lookAt.ts';

/** A part that is remembered takes one or two kilobytes; a preview of 60 steps has 250. */
const PARTS_KEPT = 2000;

/**
 * How many files are read and written at the same time. Publishing a file opens up to four folders. A render process may have
 * 256 files open (renderSandbox.ts), and Node.js works on four at a time: most of the others would only stay open.
 */
const AT_ONCE = 16;

/**
 * The store in a folder, laid out as fsLayout.ts says.
 * Any number of processes may have it open at once.
 */
export async function createFsStore(folder: string): Promise<ArtifactStore> {
  const atomic = await openAtomicFolder(folder).catch(rethrowUnavailable);
  const { objectPath, partPath, recordFolder, recordPath, entryPath, uploadFolder, uploadPath } =
    layoutOf(folder);
  const lookAt = await createLookAt(folder).catch(rethrowUnavailable);
  const ended = createFsEndedList(folder, atomic);
  const [reading, writing] = [createSemaphore(AT_ONCE), createSemaphore(AT_ONCE)];
  const readValue = (path: string): Promise<unknown> => reading(() => readJson(path));
  const partFiles = createJsonMemory(lookAt, readValue, PARTS_KEPT);

  const statObject = async (sha256: string): Promise<StoredObject | undefined> => {
    const path = objectPath(sha256);
    const file = await lookAt(path);
    // Garbage collection moves it away, checks its time, and moves it back if it was used just now.
    if (!file || !(await markUsed(path, file))) return undefined;
    return { sha256, bytes: file.size };
  };
  /** @returns true if the whole object is there and survives a power cut */
  const isKept = async (object: StoredObject): Promise<boolean> => {
    const known = await statObject(object.sha256);
    if (known?.bytes !== object.bytes) return false;
    await atomic.syncName(objectPath(object.sha256)).catch(rethrowUnavailable);
    return true;
  };
  const readObject = async (sha256: string): Promise<Buffer> =>
    reading(() => readWhole(objectPath(sha256))).catch((error: unknown) => rethrowMissing(error, sha256));
  const writeObject: ArtifactStore['putObject'] = (source, { sha256, maxBytes } = {}) =>
    withTemp(atomic, async (temp) => {
      const object = await writeAll(temp, source, maxBytes);
      checkDigest(object, sha256);
      if (!(await isKept(object))) await temp.commit(objectPath(object.sha256));
      return object;
    });
  const putObject: ArtifactStore['putObject'] = async (source, { sha256, maxBytes } = {}) => {
    // A source may be as slow as a client, or this very store; nobody else should wait for it.
    if (!(source instanceof Uint8Array)) return writeObject(source, { sha256, maxBytes });
    const object = { sha256: digestOf(source), bytes: source.length };
    checkSize(object.bytes, maxBytes);
    checkDigest(object, sha256);
    return writing(async () => ((await isKept(object)) ? object : writeObject(source)));
  };
  const getRecord = async (projectId: string, jobId: string): Promise<JobRecord | undefined> => {
    const path = recordPath(projectId, jobId);
    return (await lookAt(path)) && asRecord(await readValue(path));
  };
  const writeJson = (path: string, value: unknown): Promise<void> =>
    writing(() =>
      withTemp(atomic, async (temp) => {
        await temp.write(Buffer.from(JSON.stringify(value)));
        await temp.commit(path);
      }),
    );

  const listUploads = async (projectId: string | undefined): Promise<StoredObject[]> =>
    (await namesIn(uploadFolder(projectId)))
      .sort()
      .map(asUpload)
      .filter((upload) => upload !== undefined);

  return {
    statObject,
    async markUsed(digests) {
      await Promise.all(digests.map((sha256) => reading(() => statObject(sha256))));
    },
    putObject,
    readObject,
    async openObject(sha256, range) {
      const file = await open(objectPath(sha256)).catch((error: unknown) => rethrowMissing(error, sha256));
      return file.createReadStream(range);
    },

    async getPart(key) {
      const part = asPart(await partFiles.read(partPath(key)));
      const object = part && (await statObject(part.sha256));
      return object && object.bytes === part.bytes ? part : undefined;
    },
    putPart: (key, part) => writeJson(partPath(key), { ...part, madeAt: new Date().toISOString() }),

    getRecord,
    async findRecords(jobId) {
      const path = recordFolder(jobId);
      const names = (await readdir(path).catch(undefinedWhereMissing)) ?? [];
      const records = await Promise.all(
        names.map(async (name) => asRecord(await readValue(join(path, name)))),
      );
      return records.filter((record) => record !== undefined);
    },
    async putRecord(record, details) {
      const path = recordPath(record.projectId, record.jobId);
      const won = await withTemp(atomic, async (temp) => {
        await temp.write(Buffer.from(JSON.stringify(record)));
        // Everything is on the disk before the record gets its name.
        await Promise.all([temp.sync(), ended.add(record), details && putObject(details)]);
        return temp.commitOnce(path);
      });
      if (won) return record;
      const standing = await getRecord(record.projectId, record.jobId);
      if (standing) {
        if (entryPath(standing) !== entryPath(record)) await ended.remove(record).catch(rethrowUnavailable);
        return standing;
      }
      // Damage from outside: it can neither be read nor linked over, and would block the record for ever.
      await writeJson(path, record);
      return record;
    },
    readDetails: async ({ details }) => details && readObject(details.sha256),
    async removeRecord(record) {
      const standing = await getRecord(record.projectId, record.jobId);
      if (standing?.finishedAt !== record.finishedAt) return;
      const path = recordPath(record.projectId, record.jobId);
      await rm(path, { force: true }).catch(rethrowUnavailable);
      await atomic.syncName(path).catch(rethrowUnavailable);
      await ended.remove(standing).catch(rethrowUnavailable);
    },
    listEnded: ended.list,

    putUpload: (projectId, object) => withTemp(atomic, (temp) => temp.commit(uploadPath(projectId, object))),
    async hasUpload(projectId, object) {
      return (await lookAt(uploadPath(projectId, object))) !== undefined;
    },
    listUploads,
    async removeUpload(projectId, sha256) {
      const noted = (await listUploads(projectId)).filter((upload) => upload.sha256 === sha256);
      for (const upload of noted) {
        const path = uploadPath(projectId, upload);
        await rm(path, { force: true }).catch(rethrowUnavailable);
        await atomic.syncName(path).catch(rethrowUnavailable);
      }
      return noted.length > 0;
    },

    check: coalesce(() => withTemp(atomic, (temp) => temp.write(Buffer.from('ok')))),
    async capacity() {
      const { bavail, blocks, bsize } = await statfs(folder).catch(rethrowUnavailable);
      return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
    },
  };
}

/** The time of last use may lag this much behind. */
const USED_LATELY_MS = 60_000;

/**
 * Notes that an object is in use by setting its modification time, which garbage collection reads; its bytes never change.
 * @returns false if the object is gone; true even if the time could not be set
 */
async function markUsed(path: string, { mtimeMs }: Stats): Promise<boolean> {
  const now = Date.now();
  if (now - mtimeMs < USED_LATELY_MS) return true;
  try {
    await utimes(path, now / 1000, now / 1000);
    return true;
  } catch (error) {
    return !hasCode(error, 'ENOENT');
  }
}

/** Runs `use` with a temp file that is gone afterwards, whatever happens. */
async function withTemp<Result>(
  atomic: AtomicFolder,
  use: (temp: TempFile) => Promise<Result>,
): Promise<Result> {
  try {
    const temp = await atomic.createTemp();
    try {
      return await use(temp);
    } finally {
      await temp.discard();
    }
  } catch (error) {
    return rethrowUnavailable(error);
  }
}

async function writeAll(
  temp: TempFile,
  source: Uint8Array | AsyncIterable<Uint8Array>,
  maxBytes: number | undefined,
): Promise<StoredObject> {
  const hash = createHash('sha256');
  let bytes = 0;
  let writing = Promise.resolve();
  for await (const chunk of source instanceof Uint8Array ? [source] : source) {
    bytes += chunk.length;
    checkSize(bytes, maxBytes);
    await writing;
    writing = temp.write(chunk);
    // Whoever awaits it gets the error. If the source fails first, nobody awaits it.
    writing.catch(() => undefined);
    hash.update(chunk);
  }
  await writing;
  return { sha256: hash.digest('hex'), bytes };
}

/**
 * Reads a file that nobody writes to in one go: `readFile` asks for half a megabyte at a time, and took 75 ms for a sound
 * of 35 MB where this took 55.
 */
async function readWhole(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    // Not from the pool: handing the buffer to a thread transfers all of its memory.
    const bytes = Buffer.allocUnsafeSlow(size);
    let at = 0;
    while (at < size) {
      const { bytesRead } = await file.read(bytes, at, size - at, at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  } finally {
    await file.close();
  }
}

function rethrowMissing(error: unknown, sha256: string): never {
  if (!hasCode(error, 'ENOENT')) return rethrowUnavailable(error);
  throw new PreviewError('artifact_not_found', `There is no object ${sha256} in the store.`);
}
