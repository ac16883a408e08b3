import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { PreviewJob } from '../src/job/previewJob.types.ts';

/** The service as it is started in production, on the embedded queue, with a data folder of its own. */
export interface Service {
  url: string;
  pid: number;
  upload(path: string): Promise<string>;
  /** From POST to completed, in seconds. */
  render(job: PreviewJob): Promise<number>;
  artifact(jobId: string, name: string): Promise<Buffer>;
  stop(): Promise<void>;
}

export async function startService(env: Record<string, string> = {}): Promise<Service> {
  const dataDir = mkdtempSync(join(tmpdir(), 'preview-bench-data-'));
  const child = spawn('node', ['dist/cli.js', 'serve'], {
    env: { PATH: process.env.PATH, DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'info', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const base = await listening(child);
  const call = async (path: string, init?: RequestInit): Promise<Response> => {
    const response = await fetch(new URL(path, base), init);
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return response;
  };
  return {
    url: base,
    pid: child.pid ?? 0,
    async upload(path) {
      const answer = await call('/api/assets', { method: 'POST', body: await readFile(path) });
      return ((await answer.json()) as { sha256: string }).sha256;
    },
    async render(job) {
      const started = performance.now();
      await call('/api/preview/job', {
        method: 'POST',
        body: JSON.stringify(job),
        headers: { 'content-type': 'application/json' },
      });
      const events = await (await call(`/api/preview/job/${job.jobId}/events`)).text();
      const end = events.slice(events.lastIndexOf('event: end'));
      if (!end.includes('"completed"')) throw new Error(events.slice(-2000));
      return (performance.now() - started) / 1000;
    },
    async artifact(jobId, name) {
      const answer = await call(`/api/preview/job/${jobId}/artifact?name=${name}&redirect=1`);
      return Buffer.from(await answer.arrayBuffer());
    },
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'exit');
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** The address that the service says it listens on. */
async function listening(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('the service has no output');
  for await (const line of createInterface(child.stdout)) {
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
    if (!url) continue;
    child.stdout.resume();
    return url;
  }
  throw new Error('the service ended before it listened');
}
