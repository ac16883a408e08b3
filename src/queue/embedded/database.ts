import { fork } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import { extract } from 'tar';
import { PACKED_DATABASE } from './packedDatabase.ts';

/**
 * PostgreSQL takes 128 MB for its buffers unless it is told otherwise. The tables of a queue are small: with 8 MB a
 * process needs 100 MB less, and is as fast.
 */
const START_PARAMETERS = [...PGlite.defaultStartParams, '-c', 'shared_buffers=8MB', '-c', 'wal_buffers=1MB'];

// From sources the loader comes with process.execArgv, which fork hands on.
const CREATE = new URL(`./createDatabase${extname(fileURLToPath(import.meta.url))}`, import.meta.url);
const NEW = 'new-';

/**
 * Opens the database in `folder`, which is made at the first time. Nobody else may have it open.
 * @param packed a new database as the build has packed it; where there is none, it takes seconds instead
 */
export async function openDatabase(folder: string, packed = PACKED_DATABASE): Promise<PGlite> {
  const place = join(folder, 'database');
  if (!(await exists(place))) await makeDatabase(folder, place, packed);
  return startDatabase(place);
}

/** A database in a folder of its own; an empty one becomes one. */
export const startDatabase = (dataDir: string): Promise<PGlite> =>
  PGlite.create({ dataDir, startParams: START_PARAMETERS });

/** The folder gets its name when it is complete, so that a kill in between leaves nothing that looks like a database. */
async function makeDatabase(folder: string, place: string, packed: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith(NEW)) await rm(join(folder, name), { recursive: true, force: true });
  }
  const fresh = await mkdtemp(join(folder, NEW));
  if (await exists(packed)) await unpackDatabase(packed, fresh);
  else await createDatabase(fresh);
  await rename(fresh, place);
}

async function unpackDatabase(packed: string, folder: string): Promise<void> {
  await extract({ file: packed, cwd: folder, strict: true }).catch((cause: Error) => {
    const message = `${packed} cannot be unpacked: ${cause.message}; where that file is damaged, remove it`;
    throw new Error(message, { cause });
  });
}

/** In a process of its own: what makes a database (initdb) leaves half a gigabyte behind that is not given back. */
async function createDatabase(folder: string): Promise<void> {
  const child = fork(CREATE, [folder], { env: { NODE_ENV: 'production' }, stdio: 'inherit' });
  const [code, signal] = await once(child, 'exit');
  if (code !== 0) throw new Error(`the embedded queue could not be set up: it ended with ${signal ?? code}`);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
