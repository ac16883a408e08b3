import type { Readable } from 'node:stream';
import type { JobRecord, Priority } from '../job/jobRecord.ts';
import type { ListPlace } from './endedIndex.ts';

/** An object: bytes under their own SHA-256 (64 lower-case hex digits). */
export interface StoredObject {
  sha256: string;
  bytes: number;
}

/** A part of the render graph: its key leads to an object. `meta` is what its maker wants to find again. */
export interface StoredPart extends StoredObject {
  meta?: Record<string, unknown>;
  /** When it was put into the store; RFC 3339, UTC. The store writes it. */
  madeAt?: string;
}

/** A job that has ended, as the list of them tells it; the record says the rest. */
export interface EndedJob {
  projectId: string;
  jobId: string;
  /** Where it stands in the list; ascending texts are jobs from the newest to the oldest. */
  order: string;
  /** RFC 3339, UTC. */
  createdAt: string;
  status: JobRecord['status'];
  priority: Priority;
}

/** Inclusive byte positions, as in HTTP ranges. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * Where bytes are kept. Four rooms: objects by digest, parts by key, records by job, uploads
 * by project.
 * Nothing half-written is ever visible, and what was acknowledged survives a crash of the machine.
 * Every implementation passes the same suite, `tests/integration/storage/storeSuite.ts`.
 */
export interface ArtifactStore {
  /**
   * Stores bytes under their digest; bytes that are there already are not written again.
   * @throws PreviewError `asset_digest_mismatch` where `expected.sha256` is given and differs,
   *   `asset_too_large` past `expected.maxBytes`, `store_unavailable` where the disk is full or gone.
   */
  putObject(
    source: Uint8Array | AsyncIterable<Uint8Array>,
    expected?: { sha256?: string; maxBytes?: number },
  ): Promise<StoredObject>;
  statObject(sha256: string): Promise<StoredObject | undefined>;
  /** Says that these are needed from now on, where what is not used is removed after a while. */
  markUsed(digests: readonly string[]): Promise<void>;
  /** @throws PreviewError `artifact_not_found` */
  readObject(sha256: string): Promise<Buffer>;
  /** @throws PreviewError `artifact_not_found` */
  openObject(sha256: string, range?: ByteRange): Promise<Readable>;

  /** The part of that key, only where its object exists in full. */
  getPart(key: string): Promise<StoredPart | undefined>;
  putPart(key: string, part: StoredPart): Promise<void>;

  getRecord(projectId: string, jobId: string): Promise<JobRecord | undefined>;
  /** The records of all projects that have a job of this id. */
  findRecords(jobId: string): Promise<JobRecord[]>;
  /**
   * Writes the record unless one exists; returns the one that stands.
   * @param details the object that `record.details` names: whoever can read the record can read it
   */
  putRecord(record: JobRecord, details?: Uint8Array): Promise<JobRecord>;
  /** The details that were put with the record, if any. @throws PreviewError `artifact_not_found` */
  readDetails(record: JobRecord): Promise<Buffer | undefined>;
  /** Removes the record where it is still this one, so that the job can be run again. */
  removeRecord(record: JobRecord): Promise<void>;
  /**
   * The jobs that have a record, the last accepted first, of one project or of all; read as far as it is asked for. An
   * entry may have lost its record: who shows it looks, see `isEntryOf`.
   * @param options.after begins behind that place
   */
  listEnded(options: {
    projectId?: string | undefined;
    after?: ListPlace | undefined;
  }): AsyncGenerator<EndedJob>;

  /**
   * Notes that a project has uploaded an object: its jobs may show it, and its bytes count. Without API keys nobody knows
   * whose an upload is (`undefined`), and all may show it.
   */
  putUpload(projectId: string | undefined, object: StoredObject): Promise<void>;
  hasUpload(projectId: string | undefined, object: StoredObject): Promise<boolean>;
  /** False where there was none. The object itself stays for as long as something needs it. */
  removeUpload(projectId: string | undefined, sha256: string): Promise<boolean>;
  /** In the order of their digests. */
  listUploads(projectId: string | undefined): Promise<StoredObject[]>;

  /**
   * An address of the store itself that opens the object without a key; absent where the store has none.
   * @param as.seconds how long it is valid, at most seven days
   */
  presign?(
    sha256: string,
    as: { seconds: number; mediaType: string; disposition: string; cacheControl: string },
  ): Promise<string>;

  /** Proves that the store can be written. @throws PreviewError `store_unavailable` */
  check(): Promise<void>;
  /** How much room there is, in bytes; undefined where the store has no limit that it knows. */
  capacity(): Promise<{ freeBytes: number; totalBytes: number } | undefined>;
}
