/**
 * What more workers bring, on real Redis. First with real renders, one job at a time each, each worker on a core of its
 * own (taskset, of util-linux); then, to see the queue alone, with 1, 10 and 100 workers whose jobs only wait for a second.
 * Prints the figures of docs/scaling.md.
 *
 * Cores that share what is in them are slower together than alone. So two workers of one service stand beside two services
 * of one worker each, which share the machine and nothing else: what two workers do less than those is what sharing costs.
 *
 *     npm run bench:scale-out [-- --rounds 5]
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import {
  type Cluster,
  type ClusterProcess,
  jobDone,
  openCluster,
  postJob,
} from '../tests/support/cluster.ts';
import { startRedis } from '../tests/support/redis.ts';
import { smallJob } from '../tests/support/service.ts';
import { median } from './measure.ts';

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
/** Jobs for each worker. */
const JOBS = 6;
const STEPS = 20;

console.log(`${cpus().length} cores, medians of ${options.rounds} rounds\n`);
console.log(`${JOBS} jobs of ${STEPS} steps at 1280x720 for each worker, rendered anew, one at a time:`);
console.log(row('', 'seconds', 'jobs a minute', 'CPU seconds a job', 'bytes a job'));
await compareRenders({
  'one worker': [1],
  'two services of one worker': [1, 1],
  'one service of two workers': [2],
});

console.log('\nA second of waiting for each job, ten jobs for each worker, one at a time:');
console.log(row('', 'seconds', 'jobs a second', 'of the possible', 'Redis CPU seconds'));
for (const workers of [1, 10, 100]) console.log(await simulate(workers));

interface Renders {
  seconds: number;
  jobsAMinute: number;
  cpu: number;
  bytes: number;
}

/** In turns, so that what else the machine does concerns all of them. */
async function compareRenders(services: Record<string, number[]>): Promise<void> {
  const seen = new Map<string, Renders[]>(Object.keys(services).map((name) => [name, []]));
  for (let round = 0; round < Number(options.rounds); round++)
    for (const [name, counts] of Object.entries(services)) seen.get(name)?.push(await measureRenders(counts));
  for (const [name, all] of seen) {
    const of = (figure: keyof Renders): number => median(all.map((each) => each[figure]));
    const cells = [of('seconds').toFixed(1), of('jobsAMinute').toFixed(0), of('cpu').toFixed(2)];
    console.log(row(name, ...cells, of('bytes').toFixed(0)));
  }
}

/**
 * Real processes of the command line.
 * @param counts how many workers each of the services has; they run side by side
 */
async function measureRenders(counts: readonly number[]): Promise<Renders> {
  const clusters = await Promise.all(counts.map(() => openCluster()));
  try {
    let core = 0;
    const started = await Promise.all(
      clusters.map((cluster, i) => startService(cluster, Number(counts[i]), () => core++)),
    );
    const workers = started.flatMap((service) => service.workers);
    const total = JOBS * workers.length;
    const [cpuBefore, bytesBefore] = [await renderCpu(workers), await sizeOf(clusters)];
    const begun = performance.now();
    const ends = await Promise.all(
      started.map(async ({ url, workers: own }) => {
        const ids = Array.from({ length: JOBS * own.length }, (_, i) => `job-${i}`);
        await Promise.all(ids.map((id) => postJob(url, render(id))));
        await Promise.all(ids.map((id) => jobDone(url, id, 300)));
        return performance.now();
      }),
    );
    const each = ends.map((end) => (end - begun) / 1000);
    const rates = each.map((seconds, i) => (60 * JOBS * Number(counts[i])) / seconds);
    return {
      seconds: Math.max(...each),
      jobsAMinute: rates.reduce((sum, rate) => sum + rate, 0),
      cpu: ((await renderCpu(workers)) - cpuBefore) / total,
      bytes: ((await sizeOf(clusters)) - bytesBefore) / total,
    };
  } finally {
    await Promise.all(clusters.map((cluster) => cluster.stop()));
  }
}

/** An API, and workers that have started their render processes, each with them on a core of its own. */
async function startService(
  cluster: Cluster,
  count: number,
  nextCore: () => number,
): Promise<{ url: string; workers: ClusterProcess[] }> {
  const { url } = await cluster.start('api');
  const env = { PREVIEW_WORKER_CONCURRENCY: '1' };
  const workers = await Promise.all(Array.from({ length: count }, () => cluster.start('worker', env)));
  for (const { pid } of workers) pin(pid, nextCore() % cpus().length);
  await Promise.all(workers.map((_, i) => postJob(url, render(`warm-${i}`))));
  await Promise.all(workers.map((_, i) => jobDone(url, `warm-${i}`)));
  return { url, workers };
}

/** Keeps a process on one core, with its threads and what it has started; what it starts afterwards stays there, too. */
function pin(pid: number, core: number): void {
  execFileSync('taskset', ['-acp', String(core), String(pid)], { stdio: 'ignore' });
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  for (const child of children) pin(Number(child), core);
}

/** Its words are its own, so nothing of another job can be reused. */
function render(jobId: string) {
  const steps = Array.from({ length: STEPS }, (_, i) => ({
    title: `${jobId}, step ${i}`,
    text: `These are the words of step ${i} of ${jobId}.`,
    durationSeconds: 3,
    transition: { type: 'fade' as const, durationSeconds: 0.5 },
  }));
  return smallJob(jobId, { steps, options: { resolution: '1280x720', fps: 30 } });
}

async function renderCpu(workers: { url: string }[]): Promise<number> {
  const texts = await Promise.all(workers.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));
  const values = texts.map((text) => /^preview_worker_render_cpu_seconds_total (.+)$/m.exec(text)?.[1]);
  return values.reduce((sum, value) => sum + Number(value), 0);
}

async function sizeOf(clusters: readonly { dataDir: string }[]): Promise<number> {
  let bytes = 0;
  for (const { dataDir } of clusters) {
    const files = await readdir(join(dataDir, 'store'), { recursive: true, withFileTypes: true });
    // What is being written has gone from there in the next moment.
    const kept = files.filter((file) => file.isFile() && file.parentPath !== join(dataDir, 'store', 'tmp'));
    for (const file of kept) bytes += (await stat(join(file.parentPath, file.name))).size;
  }
  return bytes;
}

/** The queue's side of that many workers: as many BullMQ workers, each with connections of its own. */
async function simulate(count: number): Promise<string> {
  const redis = await startRedis();
  const { hostname: host, port } = new URL(redis.url);
  const connection = { host, port: Number(port), maxRetriesPerRequest: null };
  const queue = new Queue('simulation', { connection });
  const workers = Array.from({ length: count }, () => {
    const settings = { connection, lockDuration: 10_000, stalledInterval: 5000 };
    return new Worker('simulation', () => sleep(1000), settings);
  });
  const probe = new Redis(redis.url);
  try {
    await Promise.all(workers.map((worker) => worker.waitUntilReady()));
    const jobs = count * 10;
    const cpuBefore = await redisCpu(probe);
    const started = performance.now();
    await queue.addBulk(
      Array.from({ length: jobs }, (_, i) => ({ name: 'wait', data: { i }, opts: { priority: 2 } })),
    );
    while ((await queue.getCompletedCount()) < jobs) await sleep(20);
    const seconds = (performance.now() - started) / 1000;
    const share = ((100 * 10) / seconds).toFixed(0);
    const cpu = (await redisCpu(probe)) - cpuBefore;
    return row(
      `${count} workers`,
      seconds.toFixed(2),
      (jobs / seconds).toFixed(1),
      `${share} %`,
      cpu.toFixed(2),
    );
  } finally {
    probe.disconnect();
    await Promise.all(workers.map((worker) => worker.close(true)));
    await queue.close();
    await redis.stop();
  }
}

async function redisCpu(redis: Redis): Promise<number> {
  const info = await redis.info('cpu');
  const part = (name: string): number => Number(new RegExp(`^${name}:(.+)$`, 'm').exec(info)?.[1]);
  return part('used_cpu_user') + part('used_cpu_sys');
}

function row(...cells: (string | number)[]): string {
  const widths = [28, 10, 16, 20, 20];
  return cells.map((cell, i) => String(cell).padStart(widths[i] ?? 10)).join('');
}
