import { link, rename, rm, rmdir, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { JobRecord } from '../../job/jobRecord.ts';
import { tempName } from '../folder/atomicWrite.ts';
import { removeEntry, removeStaleEntries } from '../folder/fsEndedList.ts';
import { layoutOf, listFiles, readJson, undefinedWhereMissing } from '../folder/fsLayout.ts';
import { asPart, asRecord, asUpload } from '../storeRules.ts';
import { hasCode, rethrowUnavailable } from '../storeUnavailable.ts';

/** How many days records and unused files are kept. */
export interface Retention {
  days: number;
  /** The days of projects that differ. */
  projects: ReadonlyMap<string, number>;
}

export interface Collection {
  retention: Retention;
  /** Milliseconds that bytes outlive their last use and the record that led to them: signed URLs and running renders may still need them. */
  leaseMs: number;
  /** Digests that unfinished jobs and dead letters refer to. */
  neededObjects: ReadonlySet<string>;
  /** True for a job whose record must stay, however old it is. */
  isNeeded(record: JobRecord): boolean;
  dryRun: boolean;
  now?: number;
}

export interface Tally {
  count: number;
  bytes: number;
}

export interface CollectionReport {
  records: { kept: Tally; removed: Tally };
  parts: { kept: Tally; removed: Tally };
  objects: { kept: Tally; removed: Tally };
}

const DAY_MS = 86_400_000;

/**
 * Removes records that are older than their project's days, and parts and objects that nothing refers to and that
 * nobody has used for the longest of all days and the lease. An object's modification time says when it was last used
 * (fsStore.ts): what a render or a download has just found is fresh, however old it is.
 *
 * Records go first, then parts, then objects, then the notes of uploads: whoever finds a record or a part finds its object as well.
 */
export async function collectGarbage(folder: string, collection: Collection): Promise<CollectionReport> {
  const { retention, leaseMs, neededObjects, dryRun, now = Date.now() } = collection;
  const { objectPath } = layoutOf(folder);
  const longestMs = DAY_MS * Math.max(retention.days, ...retention.projects.values());
  const isUnused = (mtimeMs: number): boolean => mtimeMs < now - longestMs - leaseMs;
  const used = new Set(neededObjects);
  const report: CollectionReport = { records: tallies(), parts: tallies(), objects: tallies() };

  /** What a removed record referred to counts as unused only after the lease. */
  const lease = async (sha256: string): Promise<void> => {
    used.add(sha256);
    const usedAt = (now - longestMs) / 1000;
    const file = await stat(objectPath(sha256)).catch(undefinedWhereMissing);
    if (!dryRun && file && file.mtimeMs / 1000 < usedAt) await utimes(objectPath(sha256), usedAt, usedAt);
  };

  for await (const { path, stats } of listFiles(folder, 'jobs')) {
    const record = asRecord(await readJson(path));
    // It is the job of `store verify` to report what cannot be read.
    const keptMs = DAY_MS * (retention.projects.get(record?.projectId ?? '') ?? retention.days);
    const expired = record && Date.parse(record.finishedAt) < now - keptMs && !collection.isNeeded(record);
    count(report.records[expired ? 'removed' : 'kept'], stats.size);
    if (!expired) {
      for (const sha256 of objectsOf(record)) used.add(sha256);
      continue;
    }
    for (const sha256 of objectsOf(record)) await lease(sha256);
    if (dryRun) continue;
    await rm(path, { force: true });
    await removeEntry(folder, record);
    // This may have been the last project with a job of this id.
    await rmdir(dirname(path)).catch(() => undefined);
  }
  if (!dryRun) await removeStaleEntries(folder, now);

  for await (const { path, stats } of listFiles(folder, 'parts')) {
    const part = asPart(await readJson(path));
    const object = part && (await stat(objectPath(part.sha256)).catch(undefinedWhereMissing));
    const expired = isUnused(Math.max(stats.mtimeMs, object?.mtimeMs ?? 0));
    count(report.parts[expired ? 'removed' : 'kept'], stats.size);
    if (!expired && part) used.add(part.sha256);
    else if (expired && !dryRun) await rm(path, { force: true });
  }

  for await (const { path, name } of listFiles(folder, 'objects')) {
    const file = await stat(path).catch(undefinedWhereMissing);
    if (!file) continue;
    const garbage = !used.has(name) && isUnused(file.mtimeMs);
    const removed = garbage && (dryRun || (await removeUnused(folder, path, isUnused)));
    count(report.objects[removed ? 'removed' : 'kept'], file.size);
  }

  // The note of an upload is removed once its bytes are gone, so that it no longer counts.
  for await (const { path, name, stats } of listFiles(folder, 'uploads')) {
    const upload = asUpload(name);
    const isGone = !upload || !(await stat(objectPath(upload.sha256)).catch(undefinedWhereMissing));
    if (isGone && isUnused(stats.mtimeMs) && !dryRun) await rm(path, { force: true });
  }
  return report;
}

/**
 * Moves an object away, and moves it back if somebody has found it meanwhile. Whoever finds an object sets its time; if it is
 * too late for that, they see that it is gone.
 */
async function removeUnused(
  folder: string,
  path: string,
  isUnused: (mtimeMs: number) => boolean,
): Promise<boolean> {
  const away = join(folder, 'tmp', tempName());
  try {
    await rename(path, away);
    const isGarbage = isUnused((await stat(away)).mtimeMs);
    if (!isGarbage) await link(away, path);
    return isGarbage;
  } catch (error) {
    // Another process is removing it, too, or has written it again.
    if (!hasCode(error, 'ENOENT', 'EEXIST')) rethrowUnavailable(error);
    return false;
  } finally {
    await rm(away, { force: true });
  }
}

/** The objects that a record refers to. */
function objectsOf(record: JobRecord | undefined): string[] {
  const { artifacts = [], details } = record ?? {};
  return [...artifacts, ...(details ? [details] : [])].map(({ sha256 }) => sha256);
}

const tallies = () => ({ kept: { count: 0, bytes: 0 }, removed: { count: 0, bytes: 0 } });

function count(tally: Tally, bytes: number): void {
  tally.count++;
  tally.bytes += bytes;
}
