import { setTimeout as sleep } from 'node:timers/promises';
import type { QueueEvents, QueueEventsOptions } from 'bullmq';
import type { WatchQueue } from '../queueBackend.ts';

/** The longest that one read waits for an event; PostgreSQL may drop a wake-up where many come at once. */
const BLOCK_MS = 500;
const RETRY_MS = 1000;
const EVENTS = [
  'added',
  'waiting',
  'delayed',
  'active',
  'progress',
  'completed',
  'failed',
  'removed',
  'stalled',
] as const;

/** How events are read; they are not begun with. `release` comes after their close. */
type OpenEvents = (
  name: string,
  options: Pick<QueueEventsOptions, 'blockingTimeout' | 'autorun'>,
) => { events: QueueEvents; release(): void };

/** Reads the events that the queue itself writes, of all processes, until it is closed; where reading fails it begins anew. */
export function createEventReader(open: OpenEvents): WatchQueue {
  return (name, tell) => {
    const closing = new AbortController();
    const { events, release } = open(name, { blockingTimeout: BLOCK_MS, autorun: false });
    for (const event of EVENTS) events.on(event, ({ jobId }: { jobId: string }) => tell(jobId));
    const reading = read(events, closing.signal);
    return {
      async close() {
        closing.abort();
        await events.close().catch(() => undefined);
        release();
        await reading;
      },
    };
  };
}

async function read(events: QueueEvents, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await events.run();
    } catch {
      // Told by its `error` event, too.
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
