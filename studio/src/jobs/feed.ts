import { signal } from '@preact/signals';
import { wordsOf } from '../api/call.ts';
import { followEvents } from '../api/events.ts';
import type { ListedJob, QueueState } from '../api/types.ts';

/** The state of the queue at a moment; milliseconds since the epoch. */
export interface QueueSample {
  at: number;
  state: QueueState;
}

/** Samples that charts look back on: a few minutes. */
const MOST_SAMPLES = 400;

/** All jobs that the feed has reported, by project and id. */
export const jobs = signal<ReadonlyMap<string, ListedJob>>(new Map());
/** The queue, the newest last; empty where the key may not see it. */
export const samples = signal<readonly QueueSample[]>([]);
/** Why the feed is interrupted; undefined while it works. */
export const broken = signal<string | undefined>(undefined);
/** Whether the feed has reported the present state. */
export const told = signal(false);

export const keyOf = ({ projectId, jobId }: Pick<ListedJob, 'projectId' | 'jobId'>): string =>
  `${projectId}/${jobId}`;

let listeners = 0;
let connection: AbortController | undefined;

/** Follows all jobs and the queue while somebody looks. @returns a function that stops it */
export function listen(): () => void {
  if (listeners++ === 0) {
    connection = new AbortController();
    void followEvents(
      '/api/preview/events',
      ({ name, data }) => {
        told.value = true;
        if (name === 'job') keep([data as ListedJob]);
        if (name === 'queue') {
          samples.value = [...samples.peek(), { at: Date.now(), state: data as QueueState }].slice(
            -MOST_SAMPLES,
          );
        }
      },
      connection.signal,
      ({ connected, error }) => (broken.value = connected ? undefined : wordsOf(error)),
    );
  }
  return () => {
    if (--listeners > 0) return;
    connection?.abort();
    told.value = false;
  };
}

let arrived: ListedJob[] = [];

/** Draws events that arrive together in one go. */
export function keep(entries: readonly ListedJob[]): void {
  if (arrived.length === 0) {
    requestAnimationFrame(() => {
      const next = new Map(jobs.peek());
      for (const entry of arrived) next.set(keyOf(entry), entry);
      arrived = [];
      jobs.value = next;
    });
  }
  arrived.push(...entries);
}
