import type { Stats } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobRecord } from '../../job/jobRecord.ts';
import type { StoredObject } from '../artifactStore.ts';
import { entryPath, projectFolder } from '../endedIndex.ts';
import { fileName, hex, uploaderName, uploadName } from '../storeRules.ts';
import { hasCode, rethrowUnavailable } from '../storeUnavailable.ts';

/**
 * Where the things of a store in a folder are: `objects/ab/abcd…`, `parts/ab/abcd….json`, `jobs/<jobId>/<projectId>.json`,
 * and the records by time, `ended/p-<projectId>/…`, see endedIndex.ts; `uploads/<projectId>/<digest>-<bytes>`.
 */
export function layoutOf(folder: string) {
  const uploadFolder = (projectId: string | undefined): string =>
    join(folder, 'uploads', uploaderName(projectId));
  const recordFolder = (jobId: string): string => `${folder}/jobs/${fileName(jobId)}`;
  return {
    objectPath: (sha256: string): string => join(folder, 'objects', sha256.slice(0, 2), hex(sha256)),
    partPath: (key: string): string => `${folder}/parts/${key.slice(0, 2)}/${hex(key)}.json`,
    uploadFolder,
    uploadPath: (projectId: string | undefined, object: StoredObject): string =>
      join(uploadFolder(projectId), uploadName(object)),
    recordFolder,
    recordPath: (projectId: string, jobId: string): string =>
      `${recordFolder(jobId)}/${fileName(projectId)}.json`,
    endedFolder: (projectId: string): string => join(folder, 'ended', projectFolder(projectId)),
    entryPath: (record: JobRecord): string =>
      join(folder, 'ended', projectFolder(record.projectId), ...entryPath(record)),
  };
}

/** The folders that a render writes to. Records of jobs are not among them. */
export const foldersOfRenders = (folder: string): string[] =>
  ['objects', 'parts', 'tmp'].map((name) => join(folder, name));

/** A file of a store as it lies there. */
export interface StoredFile {
  path: string;
  /** Without folders and without `.json`. */
  name: string;
  stats: Stats;
}

/** The files two levels below `objects`, `parts`, `jobs` or `uploads`; what disappears meanwhile is left out. */
export async function* listFiles(
  folder: string,
  room: 'objects' | 'parts' | 'jobs' | 'uploads',
): AsyncGenerator<StoredFile> {
  for (const shelf of await namesIn(join(folder, room))) {
    for (const file of await namesIn(join(folder, room, shelf))) {
      const path = join(folder, room, shelf, file);
      const stats = await stat(path).catch(undefinedWhereMissing);
      if (stats?.isFile()) yield { path, name: file.replace(/\.json$/, ''), stats };
    }
  }
}

export const namesIn = async (path: string): Promise<string[]> =>
  (await readdir(path).catch(undefinedWhereMissing)) ?? [];

/** The value in the file; undefined where there is no file, or no JSON in it. */
export async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(undefinedWhereMissing);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // It was written whole or not at all, so this is damage from outside. Treat it as missing.
    return undefined;
  }
}

export function undefinedWhereMissing(error: unknown): undefined {
  if (!hasCode(error, 'ENOENT', 'ENOTDIR')) rethrowUnavailable(error);
  return undefined;
}
