/**
 * What more workers bring, on real Redis. First with real renders, one job at a time each, as far as this machine has
 * cores; then, to see the queue alone, with 1, 10 and 100 workers whose jobs only wait for a second. Prints the figures
 * of docs/scaling.md.
 *
 *     npm run bench:scale-out
 */
import { readdir, stat } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { jobDone, openCluster, postJob } from '../tests/support/cluster.ts';
import { startRedis } from '../tests/support/redis.ts';
import { smallJob } from '../tests/support/service.ts';

const JOBS = 12;
const STEPS = 20;

console.log(`${cpus().length} cores\n`);
console.log(`${JOBS} jobs of ${STEPS} steps at 1280x720, rendered anew, one at a time by each worker:`);
console.log('workers   seconds   jobs a minute   CPU seconds a job   bytes a job');
for (const workers of [1, 2, 3]) console.log(await measureRenders(workers));

console.log('\nA second of waiting for each job, ten jobs for each worker, one at a time:');
console.log('workers   seconds   jobs a second   of the possible   Redis CPU seconds');
for (const workers of [1, 10, 100]) console.log(await simulate(workers));

/** Real processes of the command line. */
async function measureRenders(count: number): Promise<string> {
  const cluster = await openCluster();
  try {
    const api = await cluster.start('api');
    const env = { PREVIEW_WORKER_CONCURRENCY: '1' };
    const workers = await Promise.all(Array.from({ length: count }, () => cluster.start('worker', env)));
    // Each worker's render process has started, and its code is warm.
    await Promise.all(workers.map((_, i) => postJob(api.url, render(`warm-${i}`))));
    await Promise.all(workers.map((_, i) => jobDone(api.url, `warm-${i}`)));
    const [cpuBefore, bytesBefore] = [await renderCpu(workers), await sizeOf(cluster.dataDir)];
    const started = performance.now();
    const ids = Array.from({ length: JOBS }, (_, i) => `job-${i}`);
    await Promise.all(ids.map((id) => postJob(api.url, render(id))));
    await Promise.all(ids.map((id) => jobDone(api.url, id, 300)));
    const seconds = (performance.now() - started) / 1000;
    const cpu = ((await renderCpu(workers)) - cpuBefore) / JOBS;
    const bytes = ((await sizeOf(cluster.dataDir)) - bytesBefore) / JOBS;
    return row(
      count,
      seconds.toFixed(1),
      ((60 * JOBS) / seconds).toFixed(0),
      cpu.toFixed(2),
      bytes.toFixed(0),
    );
  } finally {
    await cluster.stop();
  }
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

async function sizeOf(folder: string): Promise<number> {
  const files = await readdir(join(folder, 'store'), { recursive: true, withFileTypes: true });
  const sizes = files
    .filter((file) => file.isFile())
    .map(async (file) => (await stat(join(file.parentPath, file.name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
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
    return row(count, seconds.toFixed(2), (jobs / seconds).toFixed(1), `${share} %`, cpu.toFixed(2));
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
  const widths = [7, 10, 16, 20, 14];
  return cells.map((cell, i) => String(cell).padStart(widths[i] ?? 10)).join('');
}
