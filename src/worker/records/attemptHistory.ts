import type { Job } from 'bullmq';
import type { ErrorCode, FailurePlace, PreviewError } from '../../errors.ts';
import type { PartReport } from '../../render/parts/partMaker.ts';
import { type HistoryLine, publicLine } from './historyLine.ts';

/** One attempt at a job. Where it has no `outcome`, it runs, or its worker died under it. Times are RFC 3339, UTC. */
export interface AttemptEntry {
  /** 1 for the first; an attempt that was lost or given back is not counted, so a number may come twice. */
  attempt: number;
  worker: string;
  startedAt: string;
  endedAt?: string;
  outcome?: AttemptOutcome;
  error?: { code: ErrorCode; message: string };
  place?: FailurePlace;
}

export type AttemptOutcome = 'completed' | 'cancelled' | 'failed' | 'givenBack' | 'lockLost';

/** A part that an attempt made, or found in the store. Times are RFC 3339, UTC. */
export interface HistoryPart {
  attempt: number;
  kind: string;
  reused: boolean;
  startedAt: string;
  endedAt: string;
}

/** What the rows of a job tell. */
export interface JobHistory {
  attempts: AttemptEntry[];
  parts: HistoryPart[];
  logs: HistoryLine[];
}

/** Of one attempt; what comes after is left out. */
const MOST_PARTS = 3000;
const MOST_LINES = 300;
/** How long a row is collected: a killed worker takes no more than that with it. */
const COLLECT_MS = 300;

type PartRow = [kind: string, reused: 0 | 1, startedAt: number, endedAt: number];

/** What was seen of an attempt in a while. */
interface SeenRow {
  seen: { attempt: number; parts?: PartRow[]; lines?: HistoryLine[] };
}

/**
 * Writes down how an attempt begins and ends, and what it does. The rows are the job's log in the queue: they are
 * appended, so what a killed worker wrote stays. That a row cannot be written is no reason to fail an attempt.
 */
export function keepHistory(job: Job, attempt: number, worker: string) {
  const rows: string[] = [];
  let parts: PartRow[] = [];
  let lines: HistoryLine[] = [];
  let seenParts = 0;
  let seenLines = 0;
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;

  const write = async (row: object): Promise<void> => {
    const text = JSON.stringify(row);
    rows.push(text);
    await job.log(text).catch(() => undefined);
  };
  const seenRow = (): SeenRow[] => {
    if (parts.length + lines.length === 0) return [];
    const seen = { attempt, ...(parts.length > 0 ? { parts } : {}), ...(lines.length > 0 ? { lines } : {}) };
    return [{ seen }];
  };
  const flush = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const collected = seenRow();
    [parts, lines] = [[], []];
    for (const row of collected) await write(row);
  };
  const later = (): void => {
    timer ??= setTimeout(() => void flush(), COLLECT_MS).unref();
  };
  const endRow = (outcome: AttemptOutcome, failure?: PreviewError, place?: FailurePlace): object => ({
    worker,
    endedAt: new Date().toISOString(),
    outcome,
    ...(failure ? { error: { code: failure.code, message: failure.message } } : {}),
    ...(place ? { place } : {}),
  });

  return {
    started: (): Promise<void> => write({ attempt, worker, startedAt: new Date().toISOString() }),
    part({ kind, reused, startedAt, endedAt }: PartReport): void {
      if (++seenParts > MOST_PARTS) return;
      parts.push([kind, reused ? 1 : 0, startedAt, endedAt]);
      later();
    },
    /** @param line a line of the log, as it is written */
    line(line: string): void {
      if (isOver || ++seenLines > MOST_LINES) return;
      const entry = publicLine(line);
      if (!entry) return;
      lines.push(entry);
      later();
    },
    async ended(outcome: AttemptOutcome, failure?: PreviewError, place?: FailurePlace): Promise<void> {
      await flush();
      await write(endRow(outcome, failure, place));
    },
    /** All rows of the attempt, as if it had just been completed; they are kept with the record, not in the queue. */
    completedRows(): string[] {
      const others = [...seenRow(), endRow('completed')];
      return [...rows, ...others.map((row) => JSON.stringify(row))];
    },
    /** Writes what was collected. */
    flush,
    /** What was collected and not written is left out, and what comes from now on. */
    stop(): void {
      isOver = true;
      clearTimeout(timer);
    },
  };
}

export type AttemptHistory = ReturnType<typeof keepHistory>;

/** The attempts that the rows tell of, in the order of their starts. */
export function readHistory(rows: readonly string[]): AttemptEntry[] {
  return readJobHistory(rows).attempts;
}

/** All that the rows tell; rows of others, who may write into the log too, are passed over. */
export function readJobHistory(rows: readonly string[]): JobHistory {
  const history: JobHistory = { attempts: [], parts: [], logs: [] };
  const { attempts, parts, logs } = history;
  for (const row of rows) {
    const entry = parseRow(row);
    if (entry === undefined) continue;
    if ('seen' in entry) {
      const { attempt, parts: made = [], lines = [] } = entry.seen;
      parts.push(...made.map((part) => partOf(attempt, part)));
      logs.push(...lines);
      continue;
    }
    // After a lost lock two workers may write about one job; each ends its own.
    const begun = attempts.findLast(({ worker, endedAt }) => worker === entry.worker && !endedAt);
    if ('startedAt' in entry) attempts.push(entry as AttemptEntry);
    else if (begun) Object.assign(begun, entry);
  }
  return history;
}

function partOf(attempt: number, [kind, reused, startedAt, endedAt]: PartRow): HistoryPart {
  const [from, to] = [new Date(startedAt).toISOString(), new Date(endedAt).toISOString()];
  return { attempt, kind, reused: reused === 1, startedAt: from, endedAt: to };
}

/** A row that {@link keepHistory} wrote. */
function parseRow(row: string): Partial<AttemptEntry> | SeenRow | undefined {
  try {
    const entry = JSON.parse(row);
    return typeof entry?.worker === 'string' || typeof entry?.seen?.attempt === 'number' ? entry : undefined;
  } catch {
    return undefined;
  }
}
