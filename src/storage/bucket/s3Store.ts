import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { PreviewError } from '../../errors.ts';
import type { JobRecord } from '../../job/jobRecord.ts';
import type { ArtifactStore, StoredObject } from '../artifactStore.ts';
import {
  comparePlaces,
  type ListPlace,
  mergeLists,
  parseEntry,
  parseProjectFolder,
  shelfOf,
} from '../endedIndex.ts';
import { asPart, asRecord, asUpload, checkDigest, checkSize, digestOf } from '../storeRules.ts';
import { found, reached } from './s3Answers.ts';
import { createS3Bucket } from './s3Bucket.ts';
import { layoutOf } from './s3Layout.ts';
import { spool, withTempFile } from './spool.ts';

/** Where a store in a bucket is. Keys come from the environment or the machine's role, as the AWS SDK finds them. */
export interface S3Place {
  bucket: string;
  /** Without slashes at its ends; may be empty. */
  prefix: string;
  region: string;
  /** Of a server that is not AWS. */
  endpoint?: string | undefined;
}

/** Names of ended jobs that are listed by one call. */
const ENTRIES_AT_ONCE = 200;
/** From this size on an object goes up in parts (the smallest part that S3 takes is 5 MiB), several at a time. */
const PART_BYTES = 8 * 1024 * 1024;

/**
 * The store in a bucket, laid out as s3Layout.ts says.
 *
 * An object in S3 is visible whole or not at all. That one record wins is a conditional write (`If-None-Match: *`), which
 * the server must know: AWS, MinIO, R2 and Ceph do.
 */
export function createS3Store(place: S3Place): ArtifactStore {
  const { client, head, readJson, write, remove, writeOnce, pagesOf } = createS3Bucket(place);
  const { at, objectAt, partAt, recordsAt, recordAt, endedAt, entryAt, uploadsAt, uploadAt } = layoutOf(
    place.bucket,
    place.prefix,
  );

  const statObject = async (sha256: string): Promise<StoredObject | undefined> => {
    const there = await head(objectAt(sha256));
    return there && { sha256, bytes: there.ContentLength ?? 0 };
  };
  const isKept = async ({ sha256, bytes }: StoredObject): Promise<boolean> =>
    (await statObject(sha256))?.bytes === bytes;
  /** The projects that have ended jobs. */
  const endedProjects = async (): Promise<string[]> => {
    const place = at('ended/');
    const projects: string[] = [];
    for await (const { CommonPrefixes = [] } of pagesOf(place, { Delimiter: '/' })) {
      for (const { Prefix: folder = '' } of CommonPrefixes) {
        const projectId = parseProjectFolder(folder.slice(place.Key.length, -1));
        if (projectId !== undefined) projects.push(projectId);
      }
    }
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

  const listUploads = async (projectId: string | undefined): Promise<StoredObject[]> => {
    const place = uploadsAt(projectId);
    const uploads: (StoredObject | undefined)[] = [];
    for await (const { Contents = [] } of pagesOf(place)) {
      uploads.push(...Contents.map(({ Key = '' }) => asUpload(Key.slice(place.Key.length))));
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
    // Its name is its digest, so all of it must be read before any of it is sent.
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
      const place = recordsAt(jobId);
      for await (const { Contents = [] } of pagesOf(place)) {
        const read = Contents.map(async ({ Key = '' }) => asRecord(await readJson({ ...place, Key })));
        records.push(...(await Promise.all(read)));
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
      // Damage from outside: it cannot be read, and would block the record for ever.
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
    hasUpload: async (projectId, object) => (await head(uploadAt(projectId, object))) !== undefined,
    listUploads,
    async removeUpload(projectId, sha256) {
      const noted = (await listUploads(projectId)).filter((upload) => upload.sha256 === sha256);
      for (const upload of noted) await remove(uploadAt(projectId, upload));
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
