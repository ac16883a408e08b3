import type { JobRecord } from '../../job/jobRecord.ts';
import type { StoredObject } from '../artifactStore.ts';
import { entryPath, projectFolder } from '../endedIndex.ts';
import { fileName, hex, uploaderName, uploadName } from '../storeRules.ts';

/** Where something is in S3. */
export interface S3Key {
  Bucket: string;
  Key: string;
}

/**
 * The names of the file system store below the prefix: `objects/ab/abcd…`, `parts/ab/abcd….json`,
 * `jobs/<jobId>/<projectId>.json`, `ended/p-<projectId>/…`, `uploads/<projectId>/<digest>-<bytes>`.
 * @param prefix without slashes at its ends; may be empty
 */
export function layoutOf(Bucket: string, prefix: string) {
  const at = (name: string): S3Key => ({ Bucket, Key: prefix === '' ? name : `${prefix}/${name}` });
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

  return { at, objectAt, partAt, recordsAt, recordAt, endedAt, entryAt, uploadsAt, uploadAt };
}
