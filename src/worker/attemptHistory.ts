import type { Job } from 'bullmq';
import type { ErrorCode, FailurePlace, PreviewError } from '../errors.ts';

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

export type AttemptOutcome = 'failed' | 'givenBack' | 'lockLost';

/**
 * Writes down how an attempt begins and ends. The rows are the job's log in the queue: they are appended, so what a
 * killed worker wrote stays. That a row cannot be written is no reason to fail an attempt.
 */
export function keepHistory(job: Job, attempt: number, worker: string) {
  const write = async (row: object): Promise<void> => {
    await job.log(JSON.stringify(row)).catch(() => undefined);
  };
  return {
    started: (): Promise<void> => write({ attempt, worker, startedAt: new Date().toISOString() }),
    ended: (outcome: AttemptOutcome, failure?: PreviewError, place?: FailurePlace): Promise<void> =>
      write({
        worker,
        endedAt: new Date().toISOString(),
        outcome,
        ...(failure ? { error: { code: failure.code, message: failure.message } } : {}),
        ...(place ? { place } : {}),
      }),
  };
}

/** The attempts that the rows tell of, in the order of their starts. */
export function readHistory(rows: readonly string[]): AttemptEntry[] {
  const attempts: AttemptEntry[] = [];
  for (const row of rows) {
    const entry = parseRow(row);
    if (entry === undefined) continue;
    // After a lost lock two workers may write about one job; each ends its own.
    const begun = attempts.findLast(({ worker, endedAt }) => worker === entry.worker && !endedAt);
    if ('startedAt' in entry) attempts.push(entry as AttemptEntry);
    else if (begun) Object.assign(begun, entry);
  }
  return attempts;
}

/** A row that {@link keepHistory} wrote; others may write into the log too. */
function parseRow(row: string): Partial<AttemptEntry> | undefined {
  try {
    const entry = JSON.parse(row);
    return typeof entry?.worker === 'string' ? entry : undefined;
  } catch {
    return undefined;
  }
}
