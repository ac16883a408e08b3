// Packs a new database of the embedded queue, with its tables: to make one takes seconds, to unpack it one. `npm run build`
// makes it once for each version of PGlite.
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { create } from 'tar';
import { createLogger } from '../dist/logger.js';
import { PACKED_DATABASE } from '../dist/queue/embedded/packedDatabase.js';
import { openQueueBackend } from '../dist/queue/queueBackend.js';

const isThere = await access(PACKED_DATABASE).then(
  () => true,
  () => false,
);
if (!isThere) await pack();

async function pack() {
  const folder = dirname(PACKED_DATABASE);
  await mkdir(folder, { recursive: true });
  const dataDir = await mkdtemp(join(tmpdir(), 'preview-database-'));
  const unfinished = `${PACKED_DATABASE}.${process.pid}`;
  try {
    const backend = await openQueueBackend({ dataDir, logger: createLogger('silent') });
    await backend.close();
    // Without names and times of the machine that it was made on.
    const cwd = join(dataDir, 'queue/database');
    await create({ gzip: true, portable: true, noMtime: true, file: unfinished, cwd }, ['.']);
    await rename(unfinished, PACKED_DATABASE);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
    await rm(unfinished, { force: true });
  }
  // Those of other versions are of no use.
  for (const name of await readdir(folder))
    if (name.endsWith('.tar.gz') && name !== basename(PACKED_DATABASE)) await rm(join(folder, name));
}
