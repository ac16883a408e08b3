/**
 * A real fleet under load, whose processes are killed at random moments, and the account of every job at the end:
 *
 *     npm run chaos [-- --jobs 300 --kills 100 --seconds 300 --seed 1 --embedded]
 *
 * Two API processes, three workers and a Redis with append-only files, or one process with the embedded queue. Only on
 * loopback, bounded in time, every process ended by its pid. Exits with 1 where something was lost.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Account, reconcile } from './account.ts';
import { createFleet, type Fleet } from './fleet.ts';
import { ask, chaosJob, checkArtifacts, type Load, send } from './load.ts';
import { createRandom, pick, sleep } from './random.ts';
import { startReceiver } from './receiver.ts';
import { actsFor, chooseAct, type Trouble } from './trouble.ts';

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '300' },
    kills: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '300' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    embedded: { type: 'boolean', default: false },
  },
});
const [jobs, kills, seconds, seed] = [values.jobs, values.kills, values.seconds, values.seed].map(Number) as [
  number,
  number,
  number,
  number,
];
/** How long the fleet may take to end what is left when the trouble is over. */
const SETTLE_SECONDS = 240;
const DISK_BYTES = 1 << 30;

const folder = mkdtempSync(join(tmpdir(), 'preview-chaos-'));
const storeFolder = join(folder, 'data', 'store');
mkdirSync(storeFolder, { recursive: true });
const slowFlag = join(folder, 'slow');
const fleet = createFleet();
const receiver = await startReceiver();
const smallDisk = mountSmallDisk();

for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => void cleanUp().then(() => process.exit(1)));
try {
  process.exitCode = (await main()) ? 0 : 1;
} finally {
  await cleanUp();
}

async function cleanUp(): Promise<void> {
  await fleet.stop();
  receiver.close();
  // A render process whose worker was killed a moment ago may still be there.
  if (smallDisk) await until(async () => spawnSync('umount', [storeFolder]).status === 0, 10);
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}

async function main(): Promise<boolean> {
  const kind = values.embedded ? 'embedded queue' : 'Redis, 2 API processes, 3 workers';
  console.log(`chaos: ${jobs} jobs, ${kills} kills in about ${seconds} s, ${kind}, seed ${seed}`);
  if (!smallDisk) console.log('  the disk is not filled: no small disk can be mounted here');
  const random = createRandom(seed);
  const urls = values.embedded ? await startEmbedded(fleet) : await startFleet(fleet);
  await until(async () => (await ask(urls, '/readyz'))?.status === 200, 60);

  const load: Load = { accepted: new Set(), refused: 0, checked: new Set(), partial: [] };
  const trouble: Trouble = { counts: {}, orphaned: [] };
  const started: Account['started'] = [];
  const completions = new Map<string, number>();
  fleet.onLine(({ message, jobId, at }) => {
    if (message === 'job started') started.push({ jobId, at });
    if (message === 'job completed') completions.set(jobId, (completions.get(jobId) ?? 0) + 1);
  });

  const deadline = Date.now() + (seconds + SETTLE_SECONDS) * 1000;
  let over = false;
  const looking = lookAround(load, urls, () => over);
  await Promise.all([sendAll(load, urls, deadline), makeTrouble(trouble, random)]);
  console.log(`  ${load.accepted.size} jobs accepted, the trouble is over; waiting for the rest`);
  const account = await reconcile({ load, urls, trouble, started, completions, receiver, deadline });
  over = true;
  await looking;
  const damage = spawnSync(process.execPath, ['dist/cli.js', 'store', 'verify'], {
    env: { PATH: process.env.PATH, DATA_DIR: join(folder, 'data') },
    encoding: 'utf8',
  });
  return report(account, trouble, load, damage.stdout.trim(), damage.status === 0);
}

/** The jobs, spread evenly over the time. */
async function sendAll(load: Load, urls: readonly string[], deadline: number): Promise<void> {
  const sending: Promise<void>[] = [];
  for (let i = 0; i < jobs; i++) {
    sending.push(send(load, urls, chaosJob(i, seed, receiver.url), deadline));
    await sleep((seconds * 1000) / jobs);
  }
  await Promise.all(sending);
}

/** The kills, at random moments; what else happens does not count as one. */
async function makeTrouble(trouble: Trouble, random: () => number): Promise<void> {
  const acts = actsFor({ embedded: values.embedded, smallDisk, slowFlag });
  const pauseMs = (seconds * 1000) / kills;
  for (let killed = 0; killed < kills; ) {
    await sleep(pauseMs * 2 * random());
    const done = await chooseAct(acts, random)(fleet, trouble, random);
    if (!done) continue;
    trouble.counts[done] = (trouble.counts[done] ?? 0) + 1;
    if (done.startsWith('kill')) killed++;
  }
}

/** Looks at what is visible while it happens. */
async function lookAround(load: Load, urls: readonly string[], isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const unseen = [...load.accepted].filter((jobId) => !load.checked.has(jobId));
    const jobId = pick(unseen, Math.random);
    if (jobId) await checkArtifacts(load, urls, jobId);
    await sleep(50);
  }
}

async function startFleet(fleet: Fleet): Promise<string[]> {
  const [redis, ...ports] = await Promise.all([freePort(), freePort(), freePort()]);
  const redisFolder = join(folder, 'redis');
  mkdirSync(redisFolder);
  const place = ['--port', String(redis), '--bind', '127.0.0.1', '--dir', redisFolder];
  const safety = ['--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction'];
  fleet.add('redis', 'redis', ['redis-server', ...place, ...safety], { PATH: process.env.PATH });
  const env = { ...environment(), REDIS_URL: `redis://127.0.0.1:${redis}`, PREVIEW_WORKER_PORT: '0' };
  for (const port of ports) {
    fleet.add(`api-${port}`, 'api', cli('api'), { ...env, PORT: String(port) });
  }
  for (const name of ['worker-1', 'worker-2', 'worker-3']) fleet.add(name, 'worker', cli('worker'), env);
  return ports.map((port) => `http://127.0.0.1:${port}`);
}

async function startEmbedded(fleet: Fleet): Promise<string[]> {
  const port = await freePort();
  fleet.add('serve', 'serve', cli('serve'), { ...environment(), PORT: String(port) });
  return [`http://127.0.0.1:${port}`];
}

function cli(command: string): string[] {
  const slowDisk = new URL('slowDisk.mjs', import.meta.url);
  slowDisk.searchParams.set('flag', slowFlag);
  return [process.execPath, '--import', slowDisk.href, 'dist/cli.js', command];
}

function environment(): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    DATA_DIR: join(folder, 'data'),
    LOG_LEVEL: 'info',
    LOG_FORMAT: 'json',
    PREVIEW_QUEUE_MAX: '100',
    PREVIEW_WEBHOOK_SECRETS: `chaos:${receiver.secret}`,
    PREVIEW_WEBHOOK_ALLOW_PRIVATE: '127.0.0.1/32',
  };
}

/** A small file system for the store, which can be filled; undefined where none may be mounted. */
function mountSmallDisk(): string | undefined {
  try {
    const options = ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`];
    execFileSync('mount', [...options, 'tmpfs', storeFolder], { stdio: 'ignore' });
    return storeFolder;
  } catch {
    return undefined;
  }
}

function report(
  account: Account,
  trouble: Trouble,
  load: Load,
  verified: string,
  isUndamaged: boolean,
): boolean {
  const rows: Record<string, string | number> = {
    'jobs accepted': load.accepted.size,
    completed: account.completed,
    dead: `${account.dead.length}${account.dead.length > 0 ? ` (${account.dead.join(', ')})` : ''}`,
    lost: account.lost.length,
    'completed twice': account.twice.length,
    'ends told by webhook': `${account.told}, ${account.again} again with the same id`,
    'ends told by events': account.heard,
    'untold, or told otherwise': account.untold.length,
    'partial artifacts visible': load.partial.length,
    'answers 429 and 503 while sending': load.refused,
    trouble: Object.entries(trouble.counts)
      .map(([what, count]) => `${what} ${count}`)
      .join(', '),
    'recovery from kill to pick-up': `p50 ${account.p50} s, p95 ${account.p95} s, max ${account.max} s (${account.recoveries} jobs)`,
    'store verify': verified,
  };
  for (const [name, value] of Object.entries(rows)) console.log(`  ${name}: ${value}`);
  const problems = [...account.lost, ...account.twice, ...account.untold, ...load.partial];
  for (const problem of problems) console.log(`  ! ${problem}`);
  return problems.length === 0 && isUndamaged && load.accepted.size === jobs;
}

async function until(ask: () => Promise<boolean>, seconds: number): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await ask())) {
    if (Date.now() > deadline) throw new Error(`this took longer than ${seconds} s: ${ask}`);
    await sleep(200);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
