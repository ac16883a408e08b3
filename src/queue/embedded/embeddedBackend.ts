import { mkdir } from 'node:fs/promises';
import { runMigrations } from 'bullmq';
import { PreviewError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { createLocalEvents } from '../events/localEvents.ts';
import { onPostgres } from '../postgresBackend.ts';
import type { QueueBackend } from '../queueBackend.ts';
import { openDatabase } from './database.ts';
import { lockFolder } from './folderLock.ts';
import { EmbeddedPool } from './pool.ts';
import { createEmbeddedBackends } from './workerNames.ts';

/** @throws PreviewError `embedded_queue_locked`, or `queue_unavailable` with what is wrong with the folder */
export async function openEmbedded(folder: string, logger: Logger): Promise<QueueBackend> {
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
    const close = async (): Promise<void> => {
      await database.close();
      await lock.release();
    };
    const createBackend = createEmbeddedBackends();
    return withLocalEvents(onPostgres({ kind: 'embedded', createBackend, pool, logger, close }));
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
