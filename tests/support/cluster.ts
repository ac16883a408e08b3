import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { PreviewJob } from '../../src/job/previewJob.types.ts';
import { eventually } from './eventually.ts';
import { CLI } from './processes.ts';
import { startRedis } from './redis.ts';
import { keepSecretsOf, suiteLog } from './suiteLog.ts';

/** A process of the real command line: an API or a worker. */
export interface ClusterProcess {
  pid: number;
  url: string;
  /** The lines of its log. */
  lines: Record<string, unknown>[];
  signal(name: NodeJS.Signals): void;
  stop(): Promise<void>;
}

/** Processes that share one Redis and one folder, as on several machines. */
export interface Cluster {
  dataDir: string;
  /** @param cli the command line, of this version where it is left out */
  start(command: 'api' | 'worker', env?: Record<string, string>, cli?: string): Promise<ClusterProcess>;
  stop(): Promise<void>;
}

export async function openCluster(): Promise<Cluster> {
  const redis = await startRedis();
  const dataDir = await mkdtemp(join(tmpdir(), 'preview-cluster-'));
  const started: ClusterProcess[] = [];
  return {
    dataDir,
    async start(command, env = {}, cli = CLI) {
      const place = { REDIS_URL: redis.url, DATA_DIR: dataDir, PORT: '0', PREVIEW_WORKER_PORT: '0' };
      const one = await startProcess(command, { ...place, ...env }, cli);
      started.push(one);
      return one;
    },
    async stop() {
      await Promise.all(started.map((one) => one.stop()));
      await redis.stop();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

/** The real command line in a process of its own, with nothing in its environment but the settings. */
export async function startProcess(
  command: 'serve' | 'api' | 'worker',
  settings: Record<string, string>,
  cli = CLI,
): Promise<ClusterProcess> {
  const env = { PATH: process.env.PATH, LOG_FORMAT: 'json', ...settings };
  const child = spawn(process.execPath, [cli, command], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: Record<string, unknown>[] = [];
  keepSecretsOf(settings);
  createInterface({ input: child.stdout }).on('line', (line) => {
    suiteLog(command).write(line);
    lines.push(JSON.parse(line));
  });
  const url = await eventually(
    async () => lines.find(({ url, queue }) => url && queue)?.url as string | undefined,
    `the start of ${command}`,
    60,
  );
  return {
    pid: child.pid ?? 0,
    url,
    lines,
    signal: (name) => void child.kill(name),
    stop: () => ended(child),
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await exit;
}

export async function postJob(url: string, job: PreviewJob): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify(job);
  return (await fetch(`${url}/api/preview/job`, { method: 'POST', headers, body })).status;
}

/** Waits for a job to have ended well. */
export function jobDone(url: string, jobId: string, seconds = 120): Promise<true> {
  return eventually(
    async () => {
      const answer = await fetch(`${url}/api/preview/job/${jobId}/status`);
      const { status, error } = (await answer.json()) as { status: string; error?: unknown };
      if (status === 'failed') throw new Error(`job ${jobId} failed: ${JSON.stringify(error)}`);
      return status === 'completed' || undefined;
    },
    `the end of job ${jobId}`,
    seconds,
  );
}
