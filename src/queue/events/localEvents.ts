import { EventEmitter } from 'node:events';
import type { Queue, Worker } from 'bullmq';
import type { WatchQueue } from '../queueBackend.ts';

const OF_QUEUES = ['waiting', 'progress', 'removed'] as const;
const OF_WORKERS = ['active', 'progress', 'completed', 'failed', 'stalled'] as const;

/**
 * What happens in queues whose clients and workers are all in this process: they say it themselves, and nobody has to read
 * it from the database, which took a third of the queries of an edit.
 */
export function createLocalEvents() {
  const emitter = new EventEmitter().setMaxListeners(0);
  const telling =
    (name: string) =>
    (job?: string | { id?: string | undefined }): void => {
      const id = typeof job === 'string' ? job : job?.id;
      if (id !== undefined) emitter.emit(name, id);
    };
  const watch: WatchQueue = (name, tell) => {
    emitter.on(name, tell);
    return {
      async close() {
        emitter.off(name, tell);
      },
    };
  };
  return {
    hearQueue<Client extends Queue>(queue: Client): Client {
      for (const event of OF_QUEUES) queue.on(event, telling(queue.name));
      return queue;
    },
    hearWorker<Consumer extends Worker>(worker: Consumer): Consumer {
      for (const event of OF_WORKERS) worker.on(event, telling(worker.name));
      return worker;
    },
    watch,
  };
}
