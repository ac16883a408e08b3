import { setTimeout as sleep } from 'node:timers/promises';
import type { QueueEvents } from 'bullmq';
import type { QueueBackend } from './queueBackend.ts';

/** Told of each job to which something happens, in whichever process; by the id that the queue has it under. */
export type FeedListener = (queueId: string) => void;

/**
 * One watcher for all who want to know what happens in the queue: it reads the events that the queue itself writes. It
 * runs only while somebody listens, and may miss what happens in its first moments and while the queue is out of reach:
 * who must not miss anything also looks now and then.
 */
export interface QueueFeed {
  /** @returns to be called when nobody listens any more */
  listen(listener: FeedListener): () => void;
  close(): Promise<void>;
}

/** The longest that one read waits for an event; PostgreSQL may drop a wake-up where many come at once. */
const BLOCK_MS = 500;
/** The watcher stays for that long after the last one has gone: a page that is loaded again finds it warm. */
const LINGER_MS = 15_000;
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

export function createQueueFeed(backend: QueueBackend, queueName: string): QueueFeed {
  const listeners = new Set<FeedListener>();
  let watching: { close(): Promise<void> } | undefined;
  let lingering: NodeJS.Timeout | undefined;

  const tell = ({ jobId }: { jobId: string }): void => {
    for (const listener of listeners) listener(jobId);
  };
  const stop = async (): Promise<void> => {
    clearTimeout(lingering);
    const stopped = watching;
    watching = undefined;
    await stopped?.close();
  };
  return {
    listen(listener) {
      clearTimeout(lingering);
      watching ??= watch(backend, queueName, tell);
      listeners.add(listener);
      return () => {
        if (!listeners.delete(listener) || listeners.size > 0) return;
        clearTimeout(lingering);
        lingering = setTimeout(() => void stop(), LINGER_MS).unref();
      };
    },
    async close() {
      listeners.clear();
      await stop();
    },
  };
}

/** Reads until it is closed; where reading fails it begins anew. */
function watch(
  backend: QueueBackend,
  queueName: string,
  tell: (event: { jobId: string }) => void,
): { close(): Promise<void> } {
  const closing = new AbortController();
  const { events, release } = backend.events(queueName, { blockingTimeout: BLOCK_MS });
  for (const name of EVENTS) events.on(name, tell);
  const reading = read(events, closing.signal);
  return {
    async close() {
      closing.abort();
      await events.close().catch(() => undefined);
      release();
      await reading;
    },
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
