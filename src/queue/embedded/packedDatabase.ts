import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The version of PGlite, whose databases are for it alone. Its package.json is not among its exports. */
function pgliteVersion(): string {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  const { version } = JSON.parse(readFileSync(join(dirname(entry), '..', 'package.json'), 'utf8'));
  return version;
}

/**
 * A new database as `npm run build` has packed it (scripts/packDatabase.mjs), a tar file; where nobody has built, it is not
 * there.
 */
export const PACKED_DATABASE = fileURLToPath(
  new URL(`../../../database/pglite-${pgliteVersion()}.tar.gz`, import.meta.url),
);
