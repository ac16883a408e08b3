import type { QueueBackend } from './queueBackend.ts';

/** Told of each job to which something happens, in whichever process; by the id that the queue has it under. */
export type FeedListener = (queueId: string) => void;

/**
 * One watcher for all who want to know what happens in the queue. It runs only while somebody listens, and may miss what
 * happens in its first moments and while the queue is out of reach: who must not miss anything also looks now and then.
 */
export interface QueueFeed {
  /** @returns to be called when nobody listens any more */
  listen(listener: FeedListener): () => void;
  close(): Promise<void>;
}

/** The watcher stays for that long after the last one has gone: a page that is loaded again finds it warm. */
const LINGER_MS = 15_000;

export function createQueueFeed(backend: QueueBackend, queueName: string): QueueFeed {
  const listeners = new Set<FeedListener>();
  let watching: { close(): Promise<void> } | undefined;
  let lingering: NodeJS.Timeout | undefined;

  const tell = (queueId: string): void => {
    for (const listener of listeners) listener(queueId);
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
      watching ??= backend.watch(queueName, tell);
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
