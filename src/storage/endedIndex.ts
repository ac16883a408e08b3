import { PreviewError } from '../errors.ts';
import type { JobRecord } from '../job/jobRecord.ts';
import type { EndedJob } from './artifactStore.ts';

/*
 * The records by time. Each has an empty file whose name contains everything that a list filters by. A name begins with the
 * largest 13-digit number minus the milliseconds of the job's acceptance. Buckets list names in ascending order, which is
 * then from the newest job to the oldest. Six of the digits name a folder (2.8 hours).
 *
 * An entry is written before its record, so every record has one. An entry without a record, or with another outcome than its
 * record, was left by a process that died or lost. Readers of the record skip it.
 */

const END_OF_TIME = 9_999_999_999_999;
const SHELF_DIGITS = 6;
const STATUS_LETTERS = { completed: 'c', failed: 'f', cancelled: 'x' } as const;
const PRIORITY_LETTERS = { high: 'h', normal: 'n', low: 'l' } as const;
/** A name as far as {@link orderOf} makes it is at most 143 characters long. */
const NAME = /^(\d{13})~([A-Za-z0-9._-]{1,128})~([cfx])([hnl])$/;

const PROJECT = /^[A-Za-z0-9._-]{1,128}$/;

/** The place of a job in the order of the list: ascending texts are jobs from the newest to the oldest. */
export function orderOf({ createdAt, jobId }: { createdAt: string; jobId: string }): string {
  const at = Math.min(END_OF_TIME, Math.max(0, Date.parse(createdAt) || 0));
  return `${String(END_OF_TIME - at).padStart(13, '0')}~${jobId}~`;
}

/** The file of a record below the folder of its project: a shelf, and a name. */
export function entryPath(record: JobRecord): [shelf: string, name: string] {
  const letters = STATUS_LETTERS[record.status] + PRIORITY_LETTERS[record.priority ?? 'normal'];
  const name = orderOf(record) + letters;
  return [shelfOf(name), name];
}

/** The shelf on which the entry of a place lies. */
export const shelfOf = (order: string): string => order.slice(0, SHELF_DIGITS);

/** What a name says; undefined for one that was not made here. */
export function parseEntry(projectId: string, name: string): EndedJob | undefined {
  const [, digits = '', jobId = '', status, priority] = NAME.exec(name) ?? [];
  if (!jobId) return undefined;
  return {
    projectId,
    jobId,
    order: `${digits}~${jobId}~`,
    createdAt: new Date(END_OF_TIME - Number(digits)).toISOString(),
    status: keyOf(STATUS_LETTERS, status),
    priority: keyOf(PRIORITY_LETTERS, priority),
  };
}

function keyOf<Key extends string>(letters: Record<Key, string>, letter: string | undefined): Key {
  return (Object.keys(letters) as Key[]).find((key) => letters[key] === letter) as Key;
}

/** The folder of a project. Ids are kept as they are, behind a letter: `.` and `..` are ids too. */
export function projectFolder(projectId: string): string {
  if (!PROJECT.test(projectId)) throw new PreviewError('job_not_found');
  return `p-${projectId}`;
}

/** The project of such a folder. */
export function parseProjectFolder(name: string): string | undefined {
  return name.startsWith('p-') && PROJECT.test(name.slice(2)) ? name.slice(2) : undefined;
}

/** Whether the record is the one that the entry was written for. */
export function isEntryOf(entry: EndedJob, record: JobRecord | undefined): record is JobRecord {
  return record !== undefined && entry.order === orderOf(record) && entry.status === record.status;
}

/** A place in the list of all projects' jobs: equal times and ids are told apart by their projects. */
export interface ListPlace {
  order: string;
  projectId: string;
}

/** Negative where `a` comes first. */
export function comparePlaces(a: ListPlace, b: ListPlace): number {
  if (a.order !== b.order) return a.order < b.order ? -1 : 1;
  return a.projectId === b.projectId ? 0 : a.projectId < b.projectId ? -1 : 1;
}

/** Merges several lists, reading each only as far as needed. */
export async function* mergeLists<Entry extends ListPlace>(
  lists: readonly AsyncGenerator<Entry>[],
): AsyncGenerator<Entry> {
  const heads = await Promise.all(lists.map(async (list) => ({ list, next: await list.next() })));
  const open = heads.filter(({ next }) => !next.done);
  while (open.length > 0) {
    let first = open[0];
    for (const head of open) {
      if (first && comparePlaces(head.next.value, first.next.value) < 0) first = head;
    }
    if (!first) return;
    yield first.next.value;
    first.next = await first.list.next();
    if (first.next.done) open.splice(open.indexOf(first), 1);
  }
}
