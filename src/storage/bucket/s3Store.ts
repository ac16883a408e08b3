import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { PreviewError } from '../../errors.ts';
import type { JobRecord } from '../../job/jobRecord.ts';
import type { ArtifactStore, StoredObject } from '../artifactStore.ts';
import {
  comparePlaces,
  entryPath,
  type ListPlace,
  mergeLists,
  parseEntry,
  parseProjectFolder,
  projectFolder,
  shelfOf,
} from '../endedIndex.ts';
import {
  asPart,
  asRecord,
  asUpload,
  checkDigest,
  checkSize,
  digestOf,
  fileName,
  hex,
  uploaderName,
  uploadName,
} from '../storeRules.ts';

/** Where a store in a bucket is. Keys come from the environment or the machine's role, as the AWS SDK finds them. */
export interface S3Place {
  bucket: string;
  /** Without slashes at its ends; may be empty. */
  prefix: string;
  region: string;
  /** Of a server that is not AWS. */
  endpoint?: string | undefined;
}

const CONNECT_MS = 2000;
const REQUEST_MS = 30_000;
const ATTEMPTS = 3;
const CONFLICT_ATTEMPTS = 5;
const CONFLICT_PAUSE_MS = 50;
/** Names of ended jobs that are listed by one call. */
const ENTRIES_AT_ONCE = 200;
/** From this size on an object goes up in parts (the smallest part that S3 takes is 5 MiB), several at a time. */
const PART_BYTES = 8 * 1024 * 1024;

/**
 * The store in a bucket, with the names of the file system store below the prefix:
 * `objects/ab/abcd…`, `parts/ab/abcd….json`, `jobs/<jobId>/<projectId>.json`, `ended/p-<projectId>/…`,
 * `uploads/<projectId>/<digest>-<bytes>`.
 *
 * An object in S3 is visible whole or not at all. That one record wins is a conditional write (`If-None-Match: *`), which
 * the server must know: AWS, MinIO, R2 and Ceph do.
 */
export function createS3Store(place: S3Place): ArtifactStore {
  const { bucket: Bucket, prefix, region, endpoint } = place;
  const client = new S3Client({
    region,
    maxAttempts: ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: REQUEST_MS },
    // Every byte is checked by the SHA-256 of its name; older servers do not know the SDK's own checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(endpoint ? { endpoint, forcePathStyle: true } : {}),
  });
  const at = (name: string) => ({ Bucket, Key: prefix === '' ? name : `${prefix}/${name}` });
  const objectAt = (sha256: string) => at(`objects/${sha256.slice(0, 2)}/${hex(sha256)}`);
  const partAt = (key: string) => at(`parts/${key.slice(0, 2)}/${hex(key)}.json`);
  const recordsAt = (jobId: string) => at(`jobs/${fileName(jobId)}/`);
  const recordAt = (projectId: string, jobId: string) =>
    at(`jobs/${fileName(jobId)}/${fileName(projectId)}.json`);

  const endedAt = (projectId: string) => at(`ended/${projectFolder(projectId)}/`);
  const entryAt = (record: JobRecord) =>
    at(`ended/${projectFolder(record.projectId)}/${entryPath(record).join('/')}`);
  const uploadsAt = (projectId: string | undefined) => at(`uploads/${uploaderName(projectId)}/`);
  const uploadAt = (projectId: string | undefined, object: StoredObject) =>
    at(`uploads/${uploaderName(projectId)}/${uploadName(object)}`);

  const statObject = async (sha256: string): Promise<StoredObject | undefined> => {
    const place = objectAt(sha256);
    const head = await found(client.send(new HeadObjectCommand(place)));
    return head && { sha256, bytes: head.ContentLength ?? 0 };
  };
  const isKept = async ({ sha256, bytes }: StoredObject): Promise<boolean> =>
    (await statObject(sha256))?.bytes === bytes;
  const readJson = async (place: { Bucket: string; Key: string }): Promise<unknown> => {
    const answer = await found(client.send(new GetObjectCommand(place)));
    const text = answer && (await reached(answer.Body?.transformToString() ?? Promise.resolve('')));
    try {
      return text === undefined ? undefined : JSON.parse(text);
    } catch {
      // Written whole or not at all, so this is damage from outside: what cannot be read does not exist.
      return undefined;
    }
  };
  const write = async (place: { Bucket: string; Key: string }, Body: Uint8Array): Promise<void> => {
    await reached(client.send(new PutObjectCommand({ ...place, Body })));
  };
  const remove = async (place: { Bucket: string; Key: string }): Promise<void> => {
    await reached(client.send(new DeleteObjectCommand(place)));
  };
  /** False where something is there already. */
  const writeOnce = async (place: { Bucket: string; Key: string }, Body: Uint8Array): Promise<boolean> => {
    for (let attempt = 1; ; attempt++) {
      try {
        await client.send(new PutObjectCommand({ ...place, Body, IfNoneMatch: '*' }));
        return true;
      } catch (error) {
        const status = statusOf(error);
        if (status === 412) return false;
        // Another write was under way at that moment; it may still fail, so who has won is not known yet.
        if (status !== 409 || attempt === CONFLICT_ATTEMPTS) throw unavailable(error);
        await setTimeout(CONFLICT_PAUSE_MS * attempt);
      }
    }
  };
  /** The projects that have ended jobs. */
  const endedProjects = async (): Promise<string[]> => {
    const { Bucket, Key: Prefix } = at('ended/');
    const projects: string[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await reached(
        client.send(new ListObjectsV2Command({ Bucket, Prefix, Delimiter: '/', ContinuationToken })),
      );
      for (const { Prefix: folder = '' } of page.CommonPrefixes ?? []) {
        const projectId = parseProjectFolder(folder.slice(Prefix.length, -1));
        if (projectId !== undefined) projects.push(projectId);
      }
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken);
    return projects;
  };
  const listOf = async function* (projectId: string, after: ListPlace | undefined) {
    const { Bucket, Key: Prefix } = endedAt(projectId);
    let StartAfter = after && `${Prefix}${shelfOf(after.order)}/${after.order}`;
    for (;;) {
      const query = { Bucket, Prefix, StartAfter, MaxKeys: ENTRIES_AT_ONCE };
      const { Contents = [], IsTruncated } = await reached(client.send(new ListObjectsV2Command(query)));
      for (const { Key = '' } of Contents) {
        const entry = parseEntry(projectId, Key.slice(Key.lastIndexOf('/') + 1));
        if (entry && (!after || comparePlaces(entry, after) > 0)) yield entry;
      }
      StartAfter = Contents.at(-1)?.Key;
      if (!IsTruncated || StartAfter === undefined) return;
    }
  };
  const listEnded: ArtifactStore['listEnded'] = async function* ({ projectId, after }) {
    const projects = projectId === undefined ? await endedProjects() : [projectId];
    yield* mergeLists(projects.map((project) => listOf(project, after)));
  };
  const getRecord = async (projectId: string, jobId: string): Promise<JobRecord | undefined> =>
    asRecord(await readJson(recordAt(projectId, jobId)));
  const openObject: ArtifactStore['openObject'] = async (sha256, range) => {
    const Range = range && `bytes=${range.start}-${range.end}`;
    const answer = await found(client.send(new GetObjectCommand({ ...objectAt(sha256), Range })));
    if (!answer) throw new PreviewError('artifact_not_found', `There is no object ${sha256} in the store.`);
    return answer.Body as Readable;
  };

  /** The keys that begin as said, page by page. */
  async function* pagesOf({
    Bucket,
    Key: Prefix,
  }: {
    Bucket: string;
    Key: string;
  }): AsyncGenerator<string[]> {
    let ContinuationToken: string | undefined;
    do {
      const page = await reached(
        client.send(new ListObjectsV2Command({ Bucket, Prefix, ContinuationToken })),
      );
      yield (page.Contents ?? []).map(({ Key }) => String(Key));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken);
  }
  const listUploads = async (projectId: string | undefined): Promise<StoredObject[]> => {
    const place = uploadsAt(projectId);
    const uploads: (StoredObject | undefined)[] = [];
    for await (const keys of pagesOf(place)) {
      uploads.push(...keys.map((key) => asUpload(key.slice(place.Key.length))));
    }
    return uploads.filter((upload) => upload !== undefined);
  };

  const readObject = async (sha256: string): Promise<Buffer> =>
    Buffer.concat(await reached((await openObject(sha256)).toArray()));
  const putObject: ArtifactStore['putObject'] = async (source, { sha256, maxBytes } = {}) => {
    if (source instanceof Uint8Array) {
      const object = { sha256: digestOf(source), bytes: source.length };
      checkSize(object.bytes, maxBytes);
      checkDigest(object, sha256);
      if (!(await isKept(object))) await write(objectAt(object.sha256), source);
      return object;
    }
    // Its name is its digest, so all of it is read before any of it is sent.
    return withTempFile(async (path) => {
      const object = await spool(source, path, maxBytes);
      checkDigest(object, sha256);
      if (!(await isKept(object))) {
        const params = { ...objectAt(object.sha256), Body: createReadStream(path) };
        await reached(new Upload({ client, params, partSize: PART_BYTES }).done());
      }
      return object;
    });
  };

  return {
    statObject,
    // Nothing is ever removed from a bucket here.
    markUsed: async () => undefined,
    putObject,
    readObject,
    openObject,

    async getPart(key) {
      const part = asPart(await readJson(partAt(key)));
      const object = part && (await statObject(part.sha256));
      return object && object.bytes === part.bytes ? part : undefined;
    },
    putPart: (key, part) => write(partAt(key), asJson({ ...part, madeAt: new Date().toISOString() })),

    getRecord,
    async findRecords(jobId) {
      const records: (JobRecord | undefined)[] = [];
      for await (const keys of pagesOf(recordsAt(jobId))) {
        records.push(
          ...(await Promise.all(keys.map(async (Key) => asRecord(await readJson({ Bucket, Key }))))),
        );
      }
      return records.filter((record) => record !== undefined);
    },
    async putRecord(record, details) {
      const place = recordAt(record.projectId, record.jobId);
      const entry = entryAt(record);
      await Promise.all([write(entry, Buffer.alloc(0)), details && putObject(details)]);
      const won = await writeOnce(place, asJson(record));
      if (won) return record;
      const standing = await getRecord(record.projectId, record.jobId);
      if (standing) {
        if (entryAt(standing).Key !== entry.Key) await remove(entry);
        return standing;
      }
      // Damage from outside: it cannot be read, and would be in the way for ever.
      await write(place, asJson(record));
      return record;
    },

    readDetails: async ({ details }) => details && readObject(details.sha256),
    async removeRecord({ projectId, jobId, finishedAt }) {
      const standing = await getRecord(projectId, jobId);
      if (standing?.finishedAt !== finishedAt) return;
      await remove(recordAt(projectId, jobId));
      await remove(entryAt(standing));
    },
    listEnded,

    putUpload: (projectId, object) => write(uploadAt(projectId, object), Buffer.alloc(0)),
    hasUpload: async (projectId, object) =>
      (await found(client.send(new HeadObjectCommand(uploadAt(projectId, object))))) !== undefined,
    listUploads,
    async removeUpload(projectId, sha256) {
      const noted = (await listUploads(projectId)).filter((upload) => upload.sha256 === sha256);
      for (const upload of noted)
        await reached(client.send(new DeleteObjectCommand(uploadAt(projectId, upload))));
      return noted.length > 0;
    },

    presign: (sha256, { seconds, mediaType, disposition, cacheControl }) =>
      getSignedUrl(
        client,
        new GetObjectCommand({
          ...objectAt(sha256),
          ResponseContentType: mediaType,
          ResponseContentDisposition: disposition,
          ResponseCacheControl: cacheControl,
        }),
        { expiresIn: seconds },
      ),

    async check() {
      const place = at(`tmp/check-${randomUUID()}`);
      await write(place, Buffer.from('ok'));
      await remove(place);
    },
    capacity: async () => undefined,
  };
}

const asJson = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

async function withTempFile<Result>(use: (path: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'preview-upload-'));
  try {
    return await use(join(folder, 'object'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function spool(
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

/** What S3 answers; undefined where it has nothing under that key. @throws PreviewError `store_unavailable` */
async function found<Answer>(call: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await call;
  } catch (error) {
    if (statusOf(error) === 404 && nameOf(error) !== 'NoSuchBucket') return undefined;
    throw unavailable(error);
  }
}

/** @throws PreviewError `store_unavailable` where S3 cannot be reached, or does not do as it is asked */
async function reached<Answer>(call: Promise<Answer>): Promise<Answer> {
  try {
    return await call;
  } catch (error) {
    throw unavailable(error);
  }
}

/** The SDK's own errors hold whole requests with their signatures; of them only what is to be read in a log is kept. */
function unavailable(thrown: unknown): PreviewError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new PreviewError(
    'store_unavailable',
    `The store cannot be used (${nameOf(thrown)}); check STORE_URL, the bucket and its rights. Nothing was kept.`,
    { cause: new Error(`${nameOf(thrown)} (status ${statusOf(thrown) ?? 'none'}): ${message}`) },
  );
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'Error');

const statusOf = (error: unknown): number | undefined =>
  (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
