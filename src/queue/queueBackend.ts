import { join } from 'node:path';
import type { Processor, Queue, Worker, WorkerOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import { PreviewError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { openEmbedded } from './embedded/embeddedBackend.ts';
import { openPostgres } from './postgresBackend.ts';
import { openRedis } from './redisBackend.ts';

/** Where jobs wait: BullMQ on Redis, on PostgreSQL, or on a PostgreSQL inside this process. */
export interface QueueBackend {
  kind: 'redis' | 'postgres' | 'embedded';
  /** For producers: a call fails within seconds where the backend is away. */
  queue<Data, Result>(name: string): Queue<Data, Result>;
  /** For consumers: it waits for the backend to come back. */
  worker<Data, Result>(
    name: string,
    processor: Processor<Data, Result>,
    options: Omit<WorkerOptions, 'connection'>,
  ): Worker<Data, Result>;
  /** Tells of what happens in the queue, in any process. */
  watch: WatchQueue;
  /** False while the connection is lost: a call would have to wait, and might still be done when nobody waits for it. */
  isConnected(): boolean;
  /** Writes something. @returns milliseconds of the round trip @throws PreviewError `queue_unavailable` */
  ping(): Promise<number>;
  /** Where the queue is on Redis: the connection of producers, for what else is kept there. */
  redis?: Redis;
  close(): Promise<void>;
}

/** @param tell is called with the id of a job to which something has happened */
export type WatchQueue = (name: string, tell: (queueId: string) => void) => { close(): Promise<void> };

/** Calls the queue; whatever keeps it from answering is one error, `queue_unavailable`. */
export function createReach(backend: QueueBackend) {
  return async <Result>(call: () => Promise<Result>): Promise<Result> => {
    if (!backend.isConnected()) throw new PreviewError('queue_unavailable');
    try {
      return await call();
    } catch (cause) {
      throw new PreviewError('queue_unavailable', undefined, { cause });
    }
  };
}

/** @param options.url `redis://`, `rediss://` or `postgres://`; without one the queue is embedded, in `dataDir` */
export function openQueueBackend(options: {
  url?: string | undefined;
  dataDir: string;
  logger: Logger;
}): Promise<QueueBackend> {
  const { url, dataDir, logger } = options;
  if (!url) return openEmbedded(join(dataDir, 'queue'), logger);
  return /^postgres(ql)?:/.test(url) ? openPostgres(url, logger) : openRedis(url, logger);
}
