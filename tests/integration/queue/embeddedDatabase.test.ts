import { mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runMigrations } from 'bullmq';
import { create } from 'tar';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/logger.ts';
import { openDatabase } from '../../../src/queue/embedded/database.ts';
import { EmbeddedPool } from '../../../src/queue/embedded/pool.ts';
import { openQueueBackend } from '../../../src/queue/queueBackend.ts';

const TABLES = `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'bullmq' ORDER BY 1`;

describe('the database of the embedded queue', () => {
  let folder: string;
  let other: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'preview-database-'));
    other = await mkdtemp(join(tmpdir(), 'preview-database-'));
  });
  afterEach(() => Promise.all([folder, other].map((each) => rm(each, { recursive: true, force: true }))));

  it('is made where none was packed, and one that is unpacked is the same', async () => {
    const made = await openDatabase(folder, join(folder, 'none.tar.gz'));
    await runMigrations(new EmbeddedPool(made));
    const { rows } = await made.query(TABLES);
    expect(rows).toContainEqual({ name: 'job' });
    await made.close();

    const packed = join(folder, 'packed.tar.gz');
    await create({ gzip: true, portable: true, file: packed, cwd: join(folder, 'database') }, ['.']);
    // What a killed process left half unpacked.
    await writeFile(join(await mkdtemp(join(other, 'new-')), 'PG_VERSION'), '');
    const unpacked = await openDatabase(other, packed);
    expect((await unpacked.query(TABLES)).rows).toEqual(rows);
    await unpacked.close();
    expect(await readdir(other)).toEqual(['database']);
    // Jobs lie in it, which are nobody else's.
    expect((await stat(join(other, 'database'))).mode & 0o077).toBe(0);
  });

  it('leaves time to sockets and timers, however many queries follow each other', async () => {
    const database = await openDatabase(folder);
    const pool = new EmbeddedPool(database);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const until = performance.now() + 300;
    while (performance.now() < until) await pool.query('SELECT $1::int', [1]);
    clearInterval(timer);
    await database.close();
    expect(ticks).toBeGreaterThan(5);
  });

  it('is asked for in vain where there can be no folder: the queue says so, and of what to look at', async () => {
    await writeFile(join(folder, 'file'), '');
    const opening = openQueueBackend({ dataDir: join(folder, 'file'), logger: createLogger('silent') });
    await expect(opening).rejects.toMatchObject({
      code: 'queue_unavailable',
      message: expect.stringContaining('rights of DATA_DIR'),
      cause: { code: 'ENOTDIR' },
    });
  });

  it('is not made from a torn package: the file is named, and nothing half done looks like a database', async () => {
    const packed = join(folder, 'packed.tar.gz');
    await writeFile(join(folder, 'PG_VERSION'), '17'.repeat(10_000));
    await create({ gzip: true, file: packed, cwd: folder }, ['PG_VERSION']);
    await truncate(packed, 60);
    await expect(openDatabase(other, packed)).rejects.toThrow(`${packed} cannot be unpacked`);
    expect(await readdir(other)).not.toContain('database');
  });
});
