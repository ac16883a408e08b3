import { catalogue } from '../../errors.ts';

/** A line of a job's log, for those who sent the job. */
export interface HistoryLine {
  /** RFC 3339, UTC. */
  time: string;
  level: string;
  msg: string;
  attempt?: number;
  [field: string]: unknown;
}

const LONGEST = 1000;
/** What may be shown of a line. Everything else is for those who run the service: causes, stacks, addresses. */
const SHOWN = ['attempt', 'source', 'seconds', 'timings', 'place', 'stage', 'outcome'] as const;
/** Something like `/srv/data/store/tmp/x`: where files are on the worker is nobody's business. */
const PATH = /(?:file:\/\/)?(?:\/[\w.@+%~-]+){2,}\/?/g;

/** What a sender may see of a line that was written, and redacted, by the logger; undefined where it is none. */
export function publicLine(written: string): HistoryLine | undefined {
  const line = parse(written);
  if (typeof line?.msg !== 'string' || typeof line.time !== 'string') return undefined;
  const fields = SHOWN.filter((name) => line[name] !== undefined).map((name) => [name, line[name]]);
  const error = publicError(line.err);
  return {
    time: line.time,
    level: String(line.level),
    msg: line.msg.replace(PATH, '…').slice(0, LONGEST),
    ...Object.fromEntries(fields),
    ...(error ? { error } : {}),
  };
}

/** Code and message of an error of ours; of another one nothing, it is the cause of one of ours. */
function publicError(error: unknown): { code: string; message: string } | undefined {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code !== 'string' || !(code in catalogue) || typeof message !== 'string') return undefined;
  return { code, message: message.slice(0, LONGEST) };
}

function parse(written: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(written);
  } catch {
    return undefined;
  }
}
