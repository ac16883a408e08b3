import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

/** Whether suites run on Redis too; with REQUIRE_REDIS=1 a machine without it fails instead of skipping. */
export function hasRedis(): boolean {
  const found = spawnSync('redis-server', ['--version']).status === 0;
  if (!found && process.env.REQUIRE_REDIS === '1')
    throw new Error('REQUIRE_REDIS=1, but redis-server is not on the PATH');
  return found;
}

export interface TestRedis {
  url: string;
  folder: string;
  /** Ends the server as a power cut would; what it acknowledged stays in its folder. */
  kill(): Promise<void>;
  /** Starts it again on the same port and folder. */
  restart(): Promise<void>;
  /** Stops it for a while, as a machine that hangs, or lets it go on. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  /** Runs one command on a connection of its own. */
  run(command: string, ...args: string[]): Promise<unknown>;
  stop(): Promise<void>;
}

/** Databases of a shared Redis: more than a run opens. In the first one they are counted. */
const DATABASES = 4096;
let own: Promise<string> | undefined;

export type SharedRedis = Pick<TestRedis, 'url' | 'run' | 'stop'>;

/** A database that no other test has had, of the Redis that the tests of this process share, see sharedRedis.ts. */
export async function openRedis(): Promise<SharedRedis> {
  own ??= ownRedis();
  const server = await own;
  const database = Number(await runOn(server, 'INCR', ['databases']));
  if (database >= DATABASES) throw new Error(`More than ${DATABASES - 1} databases were opened.`);
  const url = `${server}/${database}`;
  const run: TestRedis['run'] = (command, ...args) => runOn(url, command, args);
  return { url, run, stop: async () => void (await run('FLUSHDB')) };
}

/**
 * Each process has another one than those beside it, because Redis names the workers of all its databases together. The first
 * Redis counts the processes: Vitest may give the same VITEST_POOL_ID to two where one group of tests follows another.
 */
async function ownRedis(): Promise<string> {
  const [first, ...others] = process.env.TEST_REDIS_URLS?.split(' ') ?? [];
  if (!first) throw new Error('There is no shared Redis; is sharedRedis.ts a globalSetup of this run?');
  const servers = [first, ...others];
  return servers[Number(await runOn(first, 'INCR', ['processes'])) % servers.length] ?? first;
}

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];
/** For tests that do not lose their Redis: it waits for no disk, which several of them would share. */
export const IN_MEMORY = ['--save', ''];

/** A real Redis of the test's own, which it may stop and kill: own port, own folder, ended by its pid. */
export async function startRedis(safety: readonly string[] = DURABLE): Promise<TestRedis> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'preview-redis-'));
  const url = `redis://127.0.0.1:${port}`;
  let server = await startServer(port, folder, url, safety);
  return {
    url,
    folder,
    kill: () => ended(server, 'SIGKILL'),
    async restart() {
      server = await startServer(port, folder, url, safety);
    },
    signal: (name) => void server.kill(name),
    run: (command, ...args) => runOn(url, command, args),
    async stop() {
      await ended(server, 'SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function runOn(url: string, command: string, args: string[]): Promise<unknown> {
  const client = new Redis(url);
  try {
    return await client.call(command, ...args);
  } finally {
    client.disconnect();
  }
}

async function startServer(
  port: number,
  folder: string,
  url: string,
  safety: readonly string[],
): Promise<ChildProcess> {
  const place = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--databases',
    String(DATABASES),
  ];
  const options = [...place, '--maxmemory-policy', 'noeviction', ...safety];
  const server = spawn('redis-server', options, { stdio: 'ignore' });
  const gone = once(server, 'exit').then(() => {
    throw new Error(`redis-server has ended; is port ${port} in use?`);
  });
  gone.catch(() => undefined);
  await Promise.race([answers(url), gone]);
  return server;
}

async function answers(url: string): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 50, retryStrategy: () => 50 });
  client.on('error', () => undefined);
  await client.ping();
  client.disconnect();
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await exit;
}

/**
 * A port that stays free until it is used, also while the server on it is away: below those that the kernel gives to
 * whoever asks for any (ip_local_port_range, 32768 and above).
 */
export function freePort(): Promise<number> {
  const port = randomInt(20_000, 32_768);
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(freePort()) : reject(error),
    );
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(port)));
  });
}
