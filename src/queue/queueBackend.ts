import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createPostgresBackend,
  type Processor,
  Queue,
  QueueEvents,
  runMigrations,
  Worker,
  type WorkerOptions,
  withBackend,
} from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import pg from 'pg';
import { PreviewError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { openDatabase } from './embedded/database.ts';
import { lockFolder } from './embedded/folderLock.ts';
import { EmbeddedPool } from './embedded/pool.ts';
import { createEmbeddedBackends } from './embedded/workerNames.ts';
import { createLocalEvents } from './events/localEvents.ts';
import { createEventReader } from './events/queueEvents.ts';

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

/** The longest that a producer or a health check waits for the backend, in milliseconds. */
const COMMAND_TIMEOUT_MS = 2000;

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

/**
 * A primary that has become a replica keeps its connections and refuses what is written: its successor is looked for at the
 * same address. Redis 6 and older name the reason within the message of a script.
 */
const isOfReplica = (error: Error): boolean => error.message.includes('READONLY');
/** To ioredis: connect anew, and send the command that was refused once more; a producer's fails, as while Redis is away. */
const RECONNECT_AND_RESEND = 2;

/**
 * A server that has said nothing for so long, in milliseconds, is connected to anew: where its machine is gone, nobody closes
 * the connection. Workers wait at most five seconds in one command, readers of events half a second.
 */
const SILENCE_MS = 15_000;

/** A key that is written to see whether Redis takes something in; BullMQ has none of that name. */
const PROBE_KEY = 'bull:probe';

async function openRedis(url: string, logger: Logger): Promise<QueueBackend> {
  const connections: Redis[] = [];
  const connect = (options: RedisOptions): Redis => {
    const connection = new Redis(url, {
      socketTimeout: SILENCE_MS,
      ...options,
      retryStrategy: (times) => Math.min(1000, times * 100),
      reconnectOnError: (error) => isOfReplica(error) && RECONNECT_AND_RESEND,
    });
    connection.on('error', (error) => logger.debug({ err: error }, 'redis connection'));
    connections.push(connection);
    return connection;
  };
  const producer = connect({
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: 2 * COMMAND_TIMEOUT_MS,
    lazyConnect: true,
  });
  // Without an offline queue nothing may be sent before the connection stands. Where Redis is away at the start, the
  // service starts all the same, answers 503, and recovers with it.
  await producer
    .connect()
    .catch((error: unknown) => logger.warn({ err: error }, 'redis is not reachable yet'));
  let consumer: Redis | undefined;
  return {
    kind: 'redis',
    redis: producer,
    queue: (name) => quiet(new Queue(name, { connection: producer }), logger),
    worker(name, processor, extra) {
      consumer ??= connect({ maxRetriesPerRequest: null });
      return quiet(new Worker(name, processor, { ...extra, connection: consumer }), logger);
    },
    watch: createEventReader((name, options) => {
      const connection = connect({ maxRetriesPerRequest: null });
      return {
        events: quiet(new QueueEvents(name, { connection, ...options }), logger),
        release() {
          connection.disconnect();
          connections.splice(connections.indexOf(connection), 1);
        },
      };
    }),
    isConnected: () => producer.status === 'ready',
    ping: () => timed(() => producer.set(PROBE_KEY, Date.now(), 'EX', 60)),
    async close() {
      for (const connection of connections) connection.disconnect();
    },
  };
}

async function openPostgres(url: string, logger: Logger): Promise<QueueBackend> {
  const pool = new pg.Pool({
    connectionString: url,
    options: '-c search_path=bullmq',
    keepAlive: true,
    connectionTimeoutMillis: COMMAND_TIMEOUT_MS,
  });
  pool.setMaxListeners(0);
  pool.on('error', (error) => logger.debug({ err: error }, 'postgres connection'));
  const client = await pool.connect().catch((cause: unknown) => {
    throw new PreviewError('queue_unavailable', 'PostgreSQL cannot be reached; check REDIS_URL.', { cause });
  });
  try {
    await runMigrations(client);
  } finally {
    client.release();
  }
  return onPostgres('postgres', pool, logger, () => pool.end());
}

/** @throws PreviewError `embedded_queue_locked`, or `queue_unavailable` with what is wrong with the folder */
async function openEmbedded(folder: string, logger: Logger): Promise<QueueBackend> {
  return openFolder(folder, logger).catch((cause: unknown) => {
    if (cause instanceof PreviewError) throw cause;
    const message = `The embedded queue in ${folder} cannot be opened; check the disk and the rights of DATA_DIR.`;
    throw new PreviewError('queue_unavailable', message, { cause });
  });
}

async function openFolder(folder: string, logger: Logger): Promise<QueueBackend> {
  await mkdir(folder, { recursive: true });
  const lock = await lockFolder(folder);
  try {
    const database = await openDatabase(folder);
    const pool = new EmbeddedPool(database);
    await runMigrations(pool);
    await pool.query('SET search_path TO bullmq');
    await releaseLocksOfTheDead(pool);
    const backend = onPostgres('embedded', pool, logger, async () => {
      await database.close();
      await lock.release();
    });
    return withLocalEvents(backend);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/**
 * Whoever holds the folder is the only process of the queue: a lock that is found in it belongs to one that was killed.
 * It ends now instead of when its time is over, so that the job is taken up again at once.
 */
async function releaseLocksOfTheDead(pool: EmbeddedPool): Promise<void> {
  await pool.query("UPDATE job SET locked_until_ms = 0 WHERE state = 'active'");
}

/** Nobody else has the folder, so what happens in the queue happens in this process. */
function withLocalEvents(backend: QueueBackend): QueueBackend {
  const { hearQueue, hearWorker, watch } = createLocalEvents();
  return {
    ...backend,
    queue: <Data, Result>(name: string) => hearQueue(backend.queue<Data, Result>(name)),
    worker: (name, processor, options) => hearWorker(backend.worker(name, processor, options)),
    watch,
  };
}

/** A standby, and a server that was set to read only, answers and takes nothing in. */
async function whereWritable(pool: PostgresPool): Promise<void> {
  const { rows } = await pool.query('SHOW transaction_read_only');
  if (rows[0]?.transaction_read_only !== 'off') throw new Error('the database is read-only');
}

type PostgresPool = pg.Pool | EmbeddedPool;

function onPostgres(
  kind: QueueBackend['kind'],
  pool: PostgresPool,
  logger: Logger,
  close: () => Promise<void>,
): QueueBackend {
  const postgres = withBackend(kind === 'embedded' ? createEmbeddedBackends() : createPostgresBackend);
  return {
    kind,
    queue: <Data, Result>(name: string) =>
      quiet(new postgres.Queue(name, { connection: pool }), logger) as unknown as Queue<Data, Result>,
    worker: <Data, Result>(
      name: string,
      processor: Processor<Data, Result>,
      extra: Omit<WorkerOptions, 'connection'>,
    ) =>
      quiet(
        new postgres.Worker(name, processor as Processor, { ...extra, connection: pool }),
        logger,
      ) as unknown as Worker<Data, Result>,
    watch: createEventReader((name, options) => {
      const events = new postgres.QueueEvents(name, { connection: pool, ...options });
      return { events: quiet(events, logger) as unknown as QueueEvents, release: () => undefined };
    }),
    isConnected: () => true,
    ping: () => timed(() => whereWritable(pool)),
    close,
  };
}

/** BullMQ emits `error` for every hiccup of its connection; without a listener that would end the process. */
function quiet<Emitter extends { on(event: 'error', listener: (error: Error) => void): unknown }>(
  emitter: Emitter,
  logger: Logger,
): Emitter {
  emitter.on('error', (error) => logger.debug({ err: error }, 'queue connection'));
  return emitter;
}

async function timed(call: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  try {
    await call();
  } catch (cause) {
    throw new PreviewError('queue_unavailable', undefined, { cause });
  }
  return Math.round((performance.now() - started) * 100) / 100;
}
