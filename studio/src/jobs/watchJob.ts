import { type Signal, signal } from '@preact/signals';
import { call, wordsOf } from '../api/call.ts';
import { readEvents } from '../api/events.ts';
import { Problem } from '../api/problem.ts';
import { ENDED, type JobHistory, type JobStatus, type SegmentEvent } from '../api/types.ts';
import { type Extras, loadExtras, NO_EXTRAS } from '../player/extras.ts';
import type { Screen } from '../player/screen.ts';

/** A job as its page shows it. */
export interface WatchedJob {
  status: JobStatus;
  /** As it was sent; absent where that was not kept. */
  sent?: SentJob;
  segments: readonly SegmentEvent[];
  history?: JobHistory;
  extras: Extras;
}

export interface SentJob {
  dryRun?: boolean;
  previewRequest: {
    title?: string;
    description?: string;
    steps: { title?: string; text?: string }[];
    options?: { resolution?: string; format?: string };
  };
}

export interface JobWatch {
  job: Signal<WatchedJob | undefined>;
  /** Why it cannot be shown. */
  problem: Signal<string | undefined>;
  /** Loads everything again, after something was done to the job. */
  again(): void;
  close(): void;
}

const HISTORY_PAUSE_MS = 400;
const BREAK_MS = 1000;

/** Follows a job to its end, and shows what there is of its preview. */
export function watchJob(path: string, screen: Screen): JobWatch {
  const job = signal<WatchedJob | undefined>(undefined);
  const problem = signal<string | undefined>(undefined);
  let current = new AbortController();
  let historyTimer: ReturnType<typeof setTimeout> | undefined;
  let isPlaying = false;

  const patch = (change: Partial<WatchedJob>): void => {
    if (job.peek()) job.value = { ...(job.peek() as WatchedJob), ...change };
  };
  const readHistory = async (link: string, signal: AbortSignal): Promise<void> => {
    const history = await call<JobHistory>(link, { signal }).catch(() => undefined);
    if (history && !signal.aborted) patch({ history });
  };
  /** Events report the status. The history is loaded separately, not more often than a person can read. */
  const historySoon = (link: string, signal: AbortSignal): void => {
    historyTimer ??= setTimeout(() => {
      historyTimer = undefined;
      void readHistory(link, signal);
    }, HISTORY_PAUSE_MS);
  };

  const showStream = (url: string): void => {
    if (isPlaying) return;
    isPlaying = true;
    void screen.show({ url, at: 0 });
  };

  /** The preview of an ended job. */
  const readEnd = async (
    { status, links }: JobStatus,
    signal: AbortSignal,
  ): Promise<Pick<WatchedJob, 'history' | 'extras'>> => {
    const [history, extras] = await Promise.all([
      call<JobHistory>(links.history, { signal }).catch(() => undefined),
      status === 'completed' ? loadExtras(links.artifacts).catch(noneOfDryRun) : NO_EXTRAS,
    ]);
    return { ...(history ? { history } : {}), extras };
  };

  const showEnd = ({ links }: JobStatus, { artifacts }: Extras): void => {
    const webm = artifacts.find(({ name }) => name === 'preview.webm');
    if (webm) void screen.show({ file: webm.url, at: 0 });
    else if (artifacts.some(({ name }) => name === 'preview.mp4')) showStream(links.stream);
  };

  const follow = async (status: JobStatus, signal: AbortSignal): Promise<void> => {
    let last = status;
    while (!signal.aborted && !ENDED.includes(last.status)) {
      try {
        patch({ segments: [] });
        await readEvents(
          status.links.events,
          ({ name, data }) => {
            if (signal.aborted) return;
            if (name === 'status') {
              last = data as JobStatus;
              patch({ status: last });
              historySoon(last.links.history, signal);
            }
            if (name === 'segment') {
              patch({ segments: [...(job.peek()?.segments ?? []), data as SegmentEvent] });
              showStream(status.links.stream);
            }
          },
          signal,
        );
      } catch (error) {
        if (signal.aborted) return;
        problem.value = wordsOf(error);
        await new Promise((resolve) => setTimeout(resolve, BREAK_MS));
        continue;
      }
      problem.value = undefined;
    }
    if (signal.aborted) return;
    const end = await readEnd(last, signal);
    patch(end);
    if (!signal.aborted) showEnd(last, end.extras);
  };

  const load = async (): Promise<void> => {
    current.abort();
    current = new AbortController();
    const { signal } = current;
    isPlaying = false;
    problem.value = undefined;
    try {
      const { job: sent, ...status } = await call<JobStatus & { job?: SentJob }>(path, { signal });
      const known = { status, segments: [], ...(sent ? { sent } : {}) };
      if (!ENDED.includes(status.status)) {
        job.value = { ...known, extras: NO_EXTRAS };
        await follow(status, signal);
        return;
      }
      // Shown when all of it is there, so that nothing moves any more.
      const end = await readEnd(status, signal);
      if (signal.aborted) return;
      job.value = { ...known, ...end };
      showEnd(status, end.extras);
    } catch (error) {
      if (!signal.aborted) problem.value = wordsOf(error);
    }
  };
  void load();
  return {
    job,
    problem,
    again: () => void load(),
    close() {
      clearTimeout(historyTimer);
      current.abort();
    },
  };
}

/** A dry run leaves no files. */
function noneOfDryRun(error: unknown): Extras {
  if (error instanceof Problem && error.code === 'no_artifacts') return NO_EXTRAS;
  throw error;
}
