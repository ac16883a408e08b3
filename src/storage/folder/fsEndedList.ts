import { mkdir, open, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { JobRecord } from '../../job/jobRecord.ts';
import type { ArtifactStore, EndedJob } from '../artifactStore.ts';
import {
  comparePlaces,
  type ListPlace,
  mergeLists,
  parseEntry,
  parseProjectFolder,
  shelfOf,
} from '../endedIndex.ts';
import { hasCode } from '../storeUnavailable.ts';
import type { AtomicFolder } from './atomicWrite.ts';
import { layoutOf, namesIn, undefinedWhereMissing } from './fsLayout.ts';

export interface FsEndedList {
  /** Adds the entry of a record, so that it survives a power cut. */
  add(record: JobRecord): Promise<void>;
  remove(record: JobRecord): Promise<void>;
  list: ArtifactStore['listEnded'];
}

/** The records of a store in a folder by time, see endedIndex.ts. */
export function createFsEndedList(folder: string, atomic: AtomicFolder): FsEndedList {
  const { entryPath, endedFolder } = layoutOf(folder);
  const create = async (path: string): Promise<void> => {
    for (;;) {
      await mkdir(dirname(path), { recursive: true });
      try {
        return await (await open(path, 'a')).close();
      } catch (error) {
        // Garbage collection removes empty shelves.
        if (!hasCode(error, 'ENOENT')) throw error;
      }
    }
  };

  const listOf = async function* (projectId: string, after?: ListPlace): AsyncGenerator<EndedJob> {
    const project = endedFolder(projectId);
    const shelves = (await namesIn(project)).sort();
    for (const shelf of shelves) {
      if (after && shelf < shelfOf(after.order)) continue;
      for (const name of (await namesIn(join(project, shelf))).sort()) {
        const entry = parseEntry(projectId, name);
        if (entry && (!after || comparePlaces(entry, after) > 0)) yield entry;
      }
    }
  };

  return {
    async add(record) {
      const path = entryPath(record);
      await create(path);
      await atomic.syncName(path);
    },
    remove: (record) => removeEntry(folder, record),
    async *list({ projectId, after }) {
      const folders = projectId === undefined ? await namesIn(join(folder, 'ended')) : [];
      const projects = projectId === undefined ? folders.map(parseProjectFolder) : [projectId];
      const lists = projects.filter((project) => project !== undefined);
      yield* mergeLists(lists.map((project) => listOf(project, after)));
    },
  };
}

/** Removes the entry of a record, and its shelf if that was the last one. */
export async function removeEntry(folder: string, record: JobRecord): Promise<void> {
  const path = layoutOf(folder).entryPath(record);
  await rm(path, { force: true });
  await removeEmptyShelf(dirname(path));
}

/** At this age, nobody can still be about to write the record of an entry. */
const STALE_MS = 86_400_000;

/** Removes entries that were left by processes that died before they wrote the record, or after it was removed. */
export async function removeStaleEntries(folder: string, now: number): Promise<void> {
  const { endedFolder, recordPath } = layoutOf(folder);
  for (const name of await namesIn(join(folder, 'ended'))) {
    const projectId = parseProjectFolder(name);
    if (projectId === undefined) continue;
    for (const shelf of await namesIn(endedFolder(projectId))) {
      const path = join(endedFolder(projectId), shelf);
      for (const file of await namesIn(path)) {
        const entry = parseEntry(projectId, file);
        const written = entry && (await stat(join(path, file)).catch(undefinedWhereMissing));
        if (!written || written.mtimeMs > now - STALE_MS) continue;
        const record = await stat(recordPath(projectId, entry.jobId)).catch(undefinedWhereMissing);
        if (!record) await rm(join(path, file), { force: true });
      }
      await removeEmptyShelf(path);
    }
  }
}

/** A shelf that has got an entry meanwhile stays. */
async function removeEmptyShelf(shelf: string): Promise<void> {
  try {
    await rmdir(shelf);
  } catch (error) {
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error;
  }
}
