import {
  createPostgresBackend,
  type Processor,
  type Queue,
  type QueueEvents,
  runMigrations,
  type Worker,
  type WorkerOptions,
  withBackend,
} from 'bullmq';
import pg from 'pg';
import { PreviewError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { COMMAND_TIMEOUT_MS, quiet, timed } from './connection.ts';
import type { EmbeddedPool } from './embedded/pool.ts';
import { createEventReader } from './events/queueEvents.ts';
import type { QueueBackend } from './queueBackend.ts';

export async function openPostgres(url: string, logger: Logger): Promise<QueueBackend> {
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
  const createBackend = createPostgresBackend;
  return onPostgres({ kind: 'postgres', createBackend, pool, logger, close: () => pool.end() });
}

type PostgresPool = pg.Pool | EmbeddedPool;

/** BullMQ on a PostgreSQL, which may be a server or inside this process. */
export function onPostgres(opened: {
  kind: 'postgres' | 'embedded';
  createBackend: typeof createPostgresBackend;
  pool: PostgresPool;
  logger: Logger;
  close(): Promise<void>;
}): QueueBackend {
  const { kind, pool, logger, close } = opened;
  const postgres = withBackend(opened.createBackend);
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

/** A standby, and a server that was set to read only, answers and takes nothing in. */
async function whereWritable(pool: PostgresPool): Promise<void> {
  const { rows } = await pool.query('SHOW transaction_read_only');
  if (rows[0]?.transaction_read_only !== 'off') throw new Error('the database is read-only');
}
