import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { eventually } from './eventually.ts';
import { freePort } from './redis.ts';

/** Debian puts each version below its number. */
const INSTALLED = '/usr/lib/postgresql';

/** The newest version that is installed. */
function binaries(): string | undefined {
  const versions = existsSync(INSTALLED) ? readdirSync(INSTALLED) : [];
  return versions
    .toSorted((one, other) => Number(other) - Number(one))
    .map((version) => join(INSTALLED, version, 'bin'))
    .find((folder) => existsSync(join(folder, 'initdb')));
}

/** Whether the queue's suite runs on PostgreSQL too; with REQUIRE_POSTGRES=1 a machine without it fails instead of skipping. */
export function hasPostgres(): boolean {
  const found = binaries() !== undefined;
  if (!found && process.env.REQUIRE_POSTGRES === '1')
    throw new Error(`REQUIRE_POSTGRES=1, but there is no PostgreSQL below ${INSTALLED}`);
  return found;
}

/** A real PostgreSQL of the test's own: own port, own folder, ended by its pid. */
export async function startPostgres(): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'preview-postgres-'));
  const data = join(folder, 'data');
  // It refuses to run as root.
  const owner = process.getuid?.() === 0 ? idOf('postgres') : undefined;
  if (owner) await chown(folder, owner.uid, owner.gid);
  const bin = binaries() ?? '';
  const options = { cwd: folder, ...owner };
  const made = spawnSync(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-N'], options);
  if (made.status !== 0) throw new Error(`initdb: ${made.error ?? made.stderr}`);
  const port = await freePort();
  // -F: nothing has to outlive the machine.
  const place = ['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', folder, '-F'];
  const server = spawn(join(bin, 'postgres'), place, { ...options, stdio: 'ignore' });
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  await eventually(() => answers(url, server), 'PostgreSQL');
  return {
    url,
    async stop() {
      const gone = new Promise((resolve) => server.once('exit', resolve));
      // Without waiting for clients.
      server.kill('SIGINT');
      await gone;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answers(url: string, server: ChildProcess): Promise<true | undefined> {
  if (server.exitCode !== null) throw new Error('postgres has ended');
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    return true;
  } catch {
    return undefined;
  } finally {
    await client.end();
  }
}

function idOf(user: string): { uid: number; gid: number } {
  const id = (flag: string): number =>
    Number(spawnSync('id', [flag, user], { encoding: 'utf8' }).stdout.trim());
  return { uid: id('-u'), gid: id('-g') };
}
