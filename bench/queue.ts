/**
 * What the service adds to the queue: `POST /api/preview/job` a second as production runs it, with keys, rate limits and
 * PREVIEW_QUEUE_MAX of 200, beside a bare Fastify route with the same schema and one `queue.add`, on one real Redis.
 *
 * Both are processes of their own, started once and warmed up; rounds alternate, and medians are printed. The queues are
 * emptied all the time, as workers on other machines would do. All figures go to bench-output/queue.json. Redis writes its
 * append-only file before it answers, as docs/reliability.md asks for; `--fsync everysec` shows the other setting.
 *
 *     npm run bench:queue [-- --rounds 5 --connections 50 --seconds 3]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { startRedis } from '../tests/support/redis.ts';
import { median } from './measure.ts';
import { keyOf, PROJECTS } from './queue/projects.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '3' },
    fsync: { type: 'string', default: 'always' },
    profile: { type: 'string' },
  },
});
const rounds = Number(options.rounds);
/** What the service may cost beside the bare route: below this ratio the bench fails. */
const ENOUGH = 0.4;
/** More than that share of jobs refused, and the queue was not emptied as fast as it was filled: the figure says nothing. */
const MOST_REFUSED = 0.05;
const EMPTY_MS = 20;
/** As production runs it; the rates are counted, and are more than the load. */
const PRODUCTION = {
  PREVIEW_API_KEYS: PROJECTS.map((projectId) => `${projectId}:${keyOf(projectId)}`).join(),
  PREVIEW_RATE_PER_KEY: '10000000',
  PREVIEW_RATE_PER_ADDRESS: '10000000',
  PREVIEW_QUEUE_MAX: '200',
};

interface Load {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  answers: Record<string, number>;
}

const folder = mkdtempSync(join(tmpdir(), 'preview-bench-queue-'));
const redis = await startRedis();
const connection = new Redis(redis.url, { maxRetriesPerRequest: null });
const processes: ChildProcess[] = [];

try {
  await connection.config('SET', 'appendfsync', options.fsync);
  report(await measure());
} finally {
  await Promise.all(processes.map((child) => end(child)));
  connection.disconnect();
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** A round to warm up, whose figures are not used, and then both in turns. */
async function measure(): Promise<{ ours: Load[]; bare: Load[] }> {
  const figures: { ours: Load[]; bare: Load[] } = { ours: [], bare: [] };
  const urls = { ours: await startService('ours'), bare: await startBare('bare') };
  for (let round = 0; round <= rounds; round++) {
    for (const name of ['ours', 'bare'] as const) {
      const load = await measureLoad(urls[name], name, round);
      if (round > 0) figures[name].push(load);
    }
  }
  return figures;
}

async function measureLoad(url: string, queueName: string, round: number): Promise<Load> {
  const queue = new Queue(queueName, { connection });
  const isOver = new AbortController();
  const emptied = keepEmpty(queue, isOver.signal);
  const { connections, seconds } = options;
  const args = ['--import', 'tsx', 'bench/queue/load.ts', url, connections, seconds, `${queueName}-${round}`];
  const load = await startNode(args, {}, (line) => JSON.parse(line) as Load);
  isOver.abort();
  await emptied;
  await queue.close();
  const { 202: accepted = 0, 429: refused = 0, ...others } = load.answers;
  if (Object.keys(others).length > 0 || refused > MOST_REFUSED * accepted)
    throw new Error(`not all was accepted: ${JSON.stringify(load.answers)}`);
  return load;
}

async function keepEmpty(queue: Queue, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await queue.drain();
    await sleep(EMPTY_MS, undefined, { signal }).catch(() => undefined);
  }
  await queue.drain();
}

/** The service from dist/, as in production. @returns its address */
async function startService(queueName: string): Promise<string> {
  const place = { DATA_DIR: join(folder, 'data'), PORT: '0', LOG_FORMAT: 'json' };
  const profile = options.profile ? ['--cpu-prof', `--cpu-prof-dir=${options.profile}`] : [];
  const env = { ...place, ...PRODUCTION, PREVIEW_QUEUE_NAME: queueName };
  return startNode([...profile, 'dist/cli.js', 'api'], env, (line) => {
    const { url, queue } = JSON.parse(line) as { url?: string; queue?: string };
    return queue ? url : undefined;
  });
}

async function startBare(queueName: string): Promise<string> {
  return startNode(['--import', 'tsx', 'bench/queue/bareApi.ts'], { QUEUE: queueName }, (line) => line);
}

/**
 * What comes after the line that was waited for is drained and not looked at: to split it into lines here would take from
 * the processes what is measured.
 * @returns what `read` makes of the first line of its output that it makes something of
 */
async function startNode<Found>(
  args: string[],
  env: Record<string, string>,
  read: (line: string) => Found | undefined,
): Promise<Found> {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, REDIS_URL: redis.url, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  processes.push(child);
  return new Promise((resolve, reject) => {
    let output = '';
    const look = (chunk: Buffer): void => {
      const lines = (output + chunk).split('\n');
      output = lines.pop() ?? '';
      const found = lines.map(read).find((each) => each !== undefined);
      if (found === undefined) return;
      child.stdout.off('data', look).resume();
      resolve(found);
    };
    child.stdout.on('data', look);
    child.once('exit', () => reject(new Error(`${args.join(' ')} ended before it said what was waited for`)));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}

function report({ ours, bare }: { ours: Load[]; bare: Load[] }): void {
  const rate = (loads: Load[]): number => median(loads.map(({ perSecond }) => perSecond));
  const p99 = (loads: Load[]): string => `${median(loads.map(({ p99Ms }) => p99Ms)).toFixed(1)} ms`;
  const ratio = rate(ours) / rate(bare);
  const cells = [
    `POST a second, ${options.connections} connections`,
    ...[rate(ours).toFixed(0), rate(bare).toFixed(0), ratio.toFixed(2), p99(ours), p99(bare)],
  ];
  console.log(
    `${cpus().length} cores, Node ${process.version}, appendfsync ${options.fsync}, medians of ${rounds} rounds\n`,
  );
  console.log('| | Preview Worker | bare route | ratio | p99 | p99 of the bare route |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  console.log(`| ${cells.join(' | ')} |`);
  mkdirSync('bench-output', { recursive: true });
  writeFileSync('bench-output/queue.json', JSON.stringify({ options, ours, bare, ratio }, null, 2));
  if (ratio < ENOUGH) process.exitCode = 1;
}
