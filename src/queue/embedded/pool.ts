import { EventEmitter } from 'node:events';
import { setImmediate as eventLoop } from 'node:timers/promises';
import type { PGlite } from '@electric-sql/pglite';
import { createSemaphore } from '../../concurrency/semaphore.ts';

interface QueryResult {
  rows: never[];
  rowCount: number | null;
}

/**
 * The database works in this thread, and one query can follow the other without an end: so long sockets and timers wait.
 */
const BREATH_MS = 10;

/**
 * PGlite (PostgreSQL inside this process) in the shape of a `pg.Pool`, which is what BullMQ's Postgres backend takes.
 * There is one session, so every "client" is the same database; BullMQ opens transactions in its migrations only, and
 * those run before anything else does.
 */
export class EmbeddedPool extends EventEmitter {
  readonly #database: PGlite;
  readonly options = { keepAlive: true };
  readonly #inTurn = createSemaphore(1);
  #breathedAt = 0;

  constructor(database: PGlite) {
    super();
    this.#database = database;
    // Every queue and worker listens here; there is no leak to warn of.
    this.setMaxListeners(0);
    database.onNotification((channel, payload) => this.emit('notification', { channel, payload }));
  }

  query(text: string, parameters?: readonly unknown[]): Promise<QueryResult> {
    return this.#inTurn(() => this.#queryAlone(text, parameters));
  }

  async #queryAlone(text: string, parameters?: readonly unknown[]): Promise<QueryResult> {
    if (performance.now() - this.#breathedAt > BREATH_MS) {
      await eventLoop();
      this.#breathedAt = performance.now();
    }
    if (parameters && parameters.length > 0) {
      const { rows, affectedRows } = await this.#database.query<never>(text, [...parameters]);
      return { rows, rowCount: rows.length > 0 ? rows.length : (affectedRows ?? null) };
    }
    // Without parameters a text may hold several statements; like pg, answer the last one's rows.
    const results = await this.#database.exec(text);
    const last = results.at(-1);
    return { rows: (last?.rows ?? []) as never[], rowCount: last?.rows.length ?? null };
  }

  async connect(): Promise<EmbeddedClient> {
    return new EmbeddedClient(this);
  }

  /** BullMQ ends pools that it made; this one is closed by who opened the database. */
  async end(): Promise<void> {}
}

/** A client of the one session, with listeners of its own. */
class EmbeddedClient extends EventEmitter {
  readonly #pool: EmbeddedPool;
  readonly #forward = (message: unknown): boolean => this.emit('notification', message);

  constructor(pool: EmbeddedPool) {
    super();
    this.setMaxListeners(0);
    this.#pool = pool;
    pool.on('notification', this.#forward);
  }

  query(text: string, parameters?: readonly unknown[]): Promise<QueryResult> {
    return this.#pool.query(text, parameters);
  }

  release(): void {
    this.#pool.removeListener('notification', this.#forward);
  }
}
