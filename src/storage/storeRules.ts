import { PreviewError } from '../errors.ts';
import type { JobRecord } from '../job/jobRecord.ts';
import { sha256Hex } from '../job/sha256.ts';
import type { StoredObject, StoredPart } from './artifactStore.ts';

/** @throws PreviewError `asset_too_large` */
export function checkSize(bytes: number, maxBytes = Number.POSITIVE_INFINITY): void {
  if (bytes > maxBytes) {
    throw new PreviewError('asset_too_large', `The file is larger than ${maxBytes} bytes.`);
  }
}

/** @throws PreviewError `asset_digest_mismatch` */
export function checkDigest(object: StoredObject, expected: string | undefined): void {
  if (expected !== undefined && expected !== object.sha256) {
    throw new PreviewError(
      'asset_digest_mismatch',
      `The bytes have the SHA-256 ${object.sha256}, not ${expected}; send the file that the digest was made of.`,
    );
  }
}

/** SHA-256 as 64 hex digits. */
export const digestOf = (bytes: Uint8Array): string => sha256Hex(bytes);

/** Digests and keys become file names: nothing else may. */
export function hex(digest: string): string {
  if (!/^[0-9a-f]{64}$/.test(digest)) throw new PreviewError('artifact_not_found');
  return digest;
}

/**
 * An id as a file name of at most 198 characters. `.` and `..` are ids; so is `A` beside `a`, which some file systems
 * hold for one name. Such ids get their digest in front, after a `%`, which is not in the ids' alphabet.
 */
export function fileName(id: string): string {
  if (!/^[A-Za-z0-9._-]{1,128}$/.test(id)) throw new PreviewError('job_not_found');
  return /^\.|[A-Z]/.test(id) ? `%${digestOf(Buffer.from(id))}-${id.toLowerCase()}` : id;
}

/** Where the uploads of a project are noted; `%anyone` is no id. */
export const uploaderName = (projectId: string | undefined): string =>
  projectId === undefined ? '%anyone' : fileName(projectId);

/** An upload is noted by its name alone, so that a list of names tells how many bytes they are. */
export const uploadName = ({ sha256, bytes }: StoredObject): string => `${hex(sha256)}-${bytes}`;

/** What the name of a noted upload says; undefined for what was not noted here. */
export function asUpload(name: string): StoredObject | undefined {
  const [, sha256 = '', bytes] = /^([0-9a-f]{64})-(\d{1,15})$/.exec(name) ?? [];
  return bytes === undefined ? undefined : { sha256, bytes: Number(bytes) };
}

/** Reads a stored part if it refers to an object; anything else is damage from outside. */
export function asPart(value: unknown): StoredPart | undefined {
  const part = value as Partial<StoredPart> | null | undefined;
  return typeof part?.sha256 === 'string' && /^[0-9a-f]{64}$/.test(part.sha256)
    ? (part as StoredPart)
    : undefined;
}

/** Reads a stored record if it says whose it is and how the job ended; anything else is damage from outside. */
export function asRecord(value: unknown): JobRecord | undefined {
  const record = value as Partial<JobRecord> | null | undefined;
  return typeof record?.jobId === 'string' && typeof record.status === 'string'
    ? (record as JobRecord)
    : undefined;
}
