/**
 * What the service adds to the queue, each figure beside that of the plain thing, in one run on one real Redis:
 *
 * - dry-run jobs a second through the service's worker, and through a BullMQ worker whose jobs do nothing;
 * - `POST /api/preview/job` a second, and a bare Fastify route with the same schema and one `queue.add`.
 *
 * All of them are processes of their own, started once and warmed up; rounds alternate, and medians are printed. All
 * figures go to bench-output/queue.json. Redis writes its append-only file before it answers, as docs/reliability.md
 * asks for; `--fsync everysec` shows the other setting.
 *
 *     npm run bench:queue [-- --rounds 5 --jobs 1000 --concurrency 2 --connections 50 --seconds 3 --only worker,post]
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
import { type QueuedJob, queueOptions } from '../src/queue/queuedJob.ts';
import { startRedis } from '../tests/support/redis.ts';
import { median } from './measure.ts';
import { dryJob } from './queue/dryJob.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    jobs: { type: 'string', default: '1000' },
    concurrency: { type: 'string', default: '2' },
    connections: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '3' },
    fsync: { type: 'string', default: 'always' },
    only: { type: 'string', default: 'worker,post' },
    profile: { type: 'string' },
  },
});
const [rounds, jobs] = [Number(options.rounds), Number(options.jobs)];
const wanted = new Set(options.only.split(','));
/** The ratio of issue and README: what the service may cost beside the plain thing. */
const ENOUGH = 0.6;

const folder = mkdtempSync(join(tmpdir(), 'preview-bench-queue-'));
const redis = await startRedis();
const connection = new Redis(redis.url, { maxRetriesPerRequest: null });
const processes: ChildProcess[] = [];

try {
  await connection.config('SET', 'appendfsync', options.fsync);
  const worker = wanted.has('worker') ? await measureWorkers() : undefined;
  const post = wanted.has('post') ? await measurePosts() : undefined;
  report({ worker, post });
} finally {
  await Promise.all(processes.map((child) => end(child)));
  connection.disconnect();
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** Each round: the queue is filled while it is paused, then let go; how long until it is empty. */
async function measureWorkers(): Promise<Record<'ours' | 'peer' | 'durable', number[]>> {
  const { concurrency } = options;
  await startService('worker', { PREVIEW_QUEUE_NAME: 'ours', PREVIEW_WORKER_CONCURRENCY: concurrency });
  await startPeer('noopWorker', { QUEUE: 'peer', CONCURRENCY: concurrency });
  const store = join(folder, 'durable');
  await startPeer('noopWorker', { QUEUE: 'durable', CONCURRENCY: concurrency, STORE: store });
  const drain = async (name: string, round: number): Promise<number> => {
    const queue = new Queue<QueuedJob>(name, { connection });
    await queue.pause();
    const filling = Array.from({ length: jobs }, (_, i) => {
      const job = dryJob(`${name}-${round}-${i}`);
      const acceptedAt = new Date().toISOString();
      const data = { job, submission: '', acceptedAt };
      return { name: 'render', data, opts: queueOptions(job) };
    });
    await queue.addBulk(filling);
    const started = performance.now();
    await queue.resume();
    while ((await queue.getJobCountByTypes('prioritized', 'active', 'waiting', 'delayed')) > 0)
      await sleep(5);
    const seconds = (performance.now() - started) / 1000;
    if ((await queue.getJobCountByTypes('failed')) > 0) throw new Error(`jobs of ${name} failed`);
    await queue.close();
    return jobs / seconds;
  };
  return alternate({
    ours: (round) => drain('ours', round),
    peer: (round) => drain('peer', round),
    durable: (round) => drain('durable', round),
  });
}

interface Load {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  answers: Record<string, number>;
}

/** Nobody takes the jobs; the queue is emptied between the rounds. */
async function measurePosts(): Promise<{ ours: Load[]; peer: Load[] }> {
  const ours = await startService('api', { PREVIEW_QUEUE_NAME: 'posted', PREVIEW_QUEUE_MAX: '1000000' });
  const peer = await startPeer('bareApi', { QUEUE: 'bare' });
  const load = async (url: string, name: string, round: number): Promise<Load> => {
    const args = ['bench/queue/load.ts', url, options.connections, options.seconds, `${name}-${round}`];
    const seen = await startNode(['--import', 'tsx', ...args], {}, (line) => JSON.parse(line) as Load);
    const queue = new Queue(name, { connection });
    await queue.obliterate({ force: true });
    await queue.close();
    if (Object.keys(seen.answers).some((status) => status !== '202')) {
      throw new Error(`not all was accepted: ${JSON.stringify(seen.answers)}`);
    }
    return seen;
  };
  return alternate({
    ours: (round) => load(ours, 'posted', round),
    peer: (round) => load(peer, 'bare', round),
  });
}

/** A round to warm up, whose figures are not used, and then all in turns. */
async function alternate<Figure, Name extends string>(
  runs: Record<Name, (round: number) => Promise<Figure>>,
): Promise<Record<Name, Figure[]>> {
  const names = Object.keys(runs) as Name[];
  const figures = Object.fromEntries(names.map((name) => [name, [] as Figure[]])) as Record<Name, Figure[]>;
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const figure = await runs[name](round);
      if (round > 0) figures[name].push(figure);
    }
  }
  return figures;
}

/** The service from dist/, as in production. @returns its address */
async function startService(command: 'api' | 'worker', env: Record<string, string>): Promise<string> {
  const place = { DATA_DIR: join(folder, command), PORT: '0', PREVIEW_WORKER_PORT: '0', LOG_FORMAT: 'json' };
  const profile = options.profile ? ['--cpu-prof', `--cpu-prof-dir=${options.profile}`] : [];
  return startNode([...profile, 'dist/cli.js', command], { ...place, ...env }, (line) => {
    const { url, queue } = JSON.parse(line) as { url?: string; queue?: string };
    return queue ? url : undefined;
  });
}

async function startPeer(name: string, env: Record<string, string>): Promise<string> {
  return startNode(['--import', 'tsx', `bench/queue/${name}.ts`], env, (line) => line);
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

function report(figures: {
  worker?: Record<'ours' | 'peer' | 'durable', number[]> | undefined;
  post?: { ours: Load[]; peer: Load[] } | undefined;
}): void {
  const rows: (string | number)[][] = [];
  if (figures.worker) {
    const what = `dry-run jobs a second, concurrency ${options.concurrency}`;
    rows.push([what, median(figures.worker.ours), median(figures.worker.peer), '', '']);
    const bound = median(figures.worker.durable);
    console.log(`A plain worker that only leaves a synced record: ${bound.toFixed(0)} jobs a second.\n`);
  }
  if (figures.post) {
    const [ours, peer] = [figures.post.ours, figures.post.peer];
    const rate = (loads: Load[]): number => median(loads.map(({ perSecond }) => perSecond));
    const p99 = (loads: Load[]): string => `${median(loads.map(({ p99Ms }) => p99Ms)).toFixed(1)} ms`;
    rows.push([
      `POST a second, ${options.connections} connections`,
      rate(ours),
      rate(peer),
      p99(ours),
      p99(peer),
    ]);
  }
  const ratios = rows.map(([, ours, peer]) => Number(ours) / Number(peer));
  console.log(
    `${cpus().length} cores, Node ${process.version}, appendfsync ${options.fsync}, medians of ${rounds} rounds\n`,
  );
  console.log(
    '| | Preview Worker | plain | ratio | p99 | p99 of the plain one |\n| --- | --- | --- | --- | --- | --- |',
  );
  rows.forEach(([what, ours, peer, p99, peerP99], i) => {
    const cells = [
      what,
      Number(ours).toFixed(0),
      Number(peer).toFixed(0),
      ratios[i]?.toFixed(2),
      p99,
      peerP99,
    ];
    console.log(`| ${cells.join(' | ')} |`);
  });
  mkdirSync('bench-output', { recursive: true });
  writeFileSync('bench-output/queue.json', JSON.stringify({ options, ...figures, ratios }, null, 2));
  if (ratios.some((ratio) => ratio < ENOUGH)) process.exitCode = 1;
}
