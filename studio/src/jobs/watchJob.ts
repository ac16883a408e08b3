import { type Signal, signal } from '@preact/signals';
import { call, Problem, wordsOf } from '../api/call.ts';
import { readEvents } from '../api/events.ts';
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
  /** Asks for everything anew, after something was done to the job. */
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
  /** What happens is told; how it came about is asked for, not more often than a person can read. */
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

  const finish = async (status: JobStatus, signal: AbortSignal): Promise<void> => {
    await readHistory(status.links.history, signal);
    if (status.status !== 'completed') return;
    const extras = await loadExtras(status.links.artifacts).catch((error: unknown) => {
      // A dry run leaves no files.
      if (error instanceof Problem && error.code === 'no_artifacts') return NO_EXTRAS;
      throw error;
    });
    if (signal.aborted) return;
    patch({ extras });
    const webm = extras.artifacts.find(({ name }) => name === 'preview.webm');
    const hasVideo = extras.artifacts.some(({ name }) => name === 'preview.mp4');
    if (webm) void screen.show({ file: webm.url, at: 0 });
    else if (hasVideo) showStream(status.links.stream);
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
    if (!signal.aborted) await finish(last, signal);
  };

  const load = async (): Promise<void> => {
    current.abort();
    current = new AbortController();
    const { signal } = current;
    isPlaying = false;
    problem.value = undefined;
    try {
      const { job: sent, ...status } = await call<JobStatus & { job?: SentJob }>(path, { signal });
      job.value = { status, segments: [], extras: NO_EXTRAS, ...(sent ? { sent } : {}) };
      await follow(status, signal);
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
