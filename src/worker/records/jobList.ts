import type { Job, Queue } from 'bullmq';
import { PreviewError } from '../../errors.ts';
import type { Priority } from '../../job/jobRecord.ts';
import { parseQueueId, type QueuedJob } from '../../queue/queuedJob.ts';
import type { ArtifactStore, EndedJob } from '../../storage/artifactStore.ts';
import { comparePlaces, isEntryOf, type ListPlace, orderOf } from '../../storage/endedIndex.ts';
import { fromQueue, fromRecord, type JobState, type JobStatus } from './jobStatus.ts';

/** A job in a list: its status without what is long. */
export type JobEntry = Omit<JobStatus, 'warnings' | 'plan'>;

export interface JobFilter {
  projectId?: string | undefined;
  /** Any of them; all where it is left out. */
  statuses?: readonly JobState[] | undefined;
  priorities?: readonly Priority[] | undefined;
  /** In the id, the request id or the title, whatever the case of its letters. */
  text?: string | undefined;
}

export interface JobPage {
  jobs: JobEntry[];
  /** Where the next page begins; absent where there is none. */
  next?: string;
}

/** Ended jobs that are looked at for one page at most: a filter that finds little goes on with the next page. */
const NAMES_FOR_A_PAGE = 20_000;
const RECORDS_FOR_A_PAGE = 500;
const READ_AT_ONCE = 20;
/** Of each state and priority; more may wait, see PREVIEW_QUEUE_MAX. */
const READ_FROM_QUEUE = 1000;
const ENDED: readonly JobState[] = ['completed', 'failed', 'cancelled'];

/** All jobs, of the queue and of the store, the last accepted first. */
export function createJobList(parts: {
  queue: Queue<QueuedJob>;
  store: ArtifactStore;
  reach<Result>(call: () => Promise<Result>): Promise<Result>;
}) {
  const { queue, store, reach } = parts;

  /** The newest of each state: within a priority jobs wait in the order of their arrival, and ranges begin at its end. */
  const unfinished = async (filter: JobFilter): Promise<JobEntry[]> => {
    const perPriority = await reach(() => queue.getCountsPerPriority([1, 2, 3]));
    const ranges = [reach(() => queue.getRanges(['waiting', 'delayed', 'active'], 0, READ_FROM_QUEUE))];
    let begin = 0;
    for (const count of Object.values(perPriority)) {
      const [from, to] = [begin + Math.max(0, count - READ_FROM_QUEUE), begin + count - 1];
      if (count > 0) ranges.push(reach(() => queue.getRanges(['prioritized'], from, to, true)));
      begin += count;
    }
    const ids = new Set((await Promise.all(ranges)).flat());
    const own = [...ids].filter((id) => {
      const of = parseQueueId(id);
      return of && (filter.projectId === undefined || of.projectId === filter.projectId);
    });
    const entries = await Promise.all(own.map((id) => readUnfinished(id)));
    return entries.filter((entry) => entry !== undefined).filter((entry) => matches(entry, filter));
  };

  const readUnfinished = async (id: string): Promise<JobEntry | undefined> => {
    const job: Job<QueuedJob> | undefined = await reach(() => queue.getJob(id));
    const state = job && (await reach(() => job.getState()));
    const waits = state && state !== 'unknown' && state !== 'completed' && state !== 'failed';
    // What something else put into the queue need not be a job.
    if (!job?.data.job || !waits) return undefined;
    return entryOf(fromQueue(job, state));
  };

  /** Some at a time; `upTo` is how far the list was read when enough was read for a page. */
  const ended = async function* (
    filter: JobFilter,
    after: ListPlace | undefined,
  ): AsyncGenerator<{ entries: JobEntry[]; upTo?: ListPlace }> {
    const { projectId, statuses, priorities } = filter;
    let batch: EndedJob[] = [];
    let names = 0;
    let records = 0;
    for await (const entry of store.listEnded({ projectId, after })) {
      names++;
      const fits =
        (!statuses || statuses.includes(entry.status)) &&
        (!priorities || priorities.includes(entry.priority));
      if (fits) batch.push(entry);
      const isEnough = names >= NAMES_FOR_A_PAGE || records + batch.length >= RECORDS_FOR_A_PAGE;
      if (batch.length < READ_AT_ONCE && !isEnough) continue;
      records += batch.length;
      yield { entries: await readRecords(batch), ...(isEnough ? { upTo: entry } : {}) };
      if (isEnough) return;
      batch = [];
    }
    yield { entries: await readRecords(batch) };
  };
  const readRecords = async (batch: readonly EndedJob[]): Promise<JobEntry[]> => {
    const entries = await Promise.all(
      batch.map(async (entry) => {
        const record = await store.getRecord(entry.projectId, entry.jobId);
        return isEntryOf(entry, record) ? entryOf(fromRecord(record)) : undefined;
      }),
    );
    return entries.filter((entry) => entry !== undefined);
  };

  return {
    /** @throws PreviewError `invalid_request` for a cursor that is none, `queue_unavailable`, `store_unavailable` */
    async page(
      filter: JobFilter,
      { limit, cursor }: { limit: number; cursor?: string | undefined },
    ): Promise<JobPage> {
      const { statuses } = filter;
      const after = cursor === undefined ? undefined : readCursor(cursor);
      const isBehind = (entry: JobEntry): boolean => !after || comparePlaces(placeOf(entry), after) > 0;
      const wantsQueue = !statuses || statuses.some((status) => !ENDED.includes(status));
      const wantsStore = !statuses || statuses.some((status) => ENDED.includes(status));
      // The queue first: a job that ends meanwhile is then found in both, and never in neither.
      const found = new Map<string, JobEntry>();
      const add = (entry: JobEntry): void => void found.set(`${entry.projectId}~${entry.jobId}`, entry);
      const first = wantsQueue ? await unfinished(filter) : [];
      for (const entry of first) if (isBehind(entry)) add(entry);

      let readUpTo: ListPlace | undefined;
      let matching = 0;
      for await (const { entries, upTo } of wantsStore ? ended(filter, after) : []) {
        const fitting = entries.filter((entry) => matches(entry, filter));
        for (const entry of fitting) add(entry);
        matching += fitting.length;
        readUpTo = upTo;
        if (matching > limit) break;
      }
      const sorted = [...found.values()].sort((a, b) => comparePlaces(placeOf(a), placeOf(b)));
      // Where reading was broken off, nothing is known of what comes behind.
      const known = sorted.filter((entry) => !readUpTo || comparePlaces(placeOf(entry), readUpTo) <= 0);
      const jobs = known.slice(0, limit);
      const last = jobs.at(-1);
      if (known.length > limit && last) return { jobs, next: writeCursor(placeOf(last)) };
      return readUpTo ? { jobs, next: writeCursor(readUpTo) } : { jobs };
    },
  };
}

/** What a list shows of a job. */
export function entryOf({ warnings: _, plan: __, ...entry }: JobStatus): JobEntry {
  return entry;
}

const placeOf = (entry: JobEntry): ListPlace => ({ order: orderOf(entry), projectId: entry.projectId });

export function matches(entry: JobEntry, { statuses, priorities, text, projectId }: JobFilter): boolean {
  const { jobId, requestId, title = '' } = entry;
  const sought = text?.toLowerCase() ?? '';
  return (
    (projectId === undefined || entry.projectId === projectId) &&
    (!statuses || statuses.includes(entry.status)) &&
    (!priorities || priorities.includes(entry.priority)) &&
    [jobId, requestId, title].some((words) => words.toLowerCase().includes(sought))
  );
}

const writeCursor = ({ order, projectId }: ListPlace): string =>
  Buffer.from(`${order}${projectId}`).toString('base64url');

function readCursor(cursor: string): ListPlace {
  const text = Buffer.from(cursor, 'base64url').toString();
  const [, order = '', projectId = ''] =
    /^(\d{13}~[A-Za-z0-9._-]{1,128}~)([A-Za-z0-9._-]{1,128})$/.exec(text) ?? [];
  if (!order) throw new PreviewError('invalid_request', 'cursor must be the "next" of another page.');
  return { order, projectId };
}
