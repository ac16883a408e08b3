import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { CLI } from '../support/processes.ts';
import { freePort } from '../support/redis.ts';
import { smallJob } from '../support/service.ts';

const children: ChildProcess[] = [];
const folders: string[] = [];

afterEach(async () => {
  // A process that is still dying may still write into its folder.
  await Promise.all(children.splice(0).map(killed));
  for (const folder of folders.splice(0))
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
});

function killed(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

async function dataFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'preview-restart-'));
  folders.push(folder);
  return folder;
}

/** The real command line in a process of its own. */
function serve(dataDir: string, port: number): ChildProcess {
  const env = { PATH: process.env.PATH, DATA_DIR: dataDir, PORT: String(port), LOG_LEVEL: 'warn' };
  const child = spawn(process.execPath, [CLI, 'serve'], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.push(child);
  return child;
}

const ready = (port: number): Promise<true> =>
  eventually(async () => {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    return response?.ok ? true : undefined;
  }, 'the service being ready');

async function statusOf(port: number, jobId: string): Promise<{ status: string; attemptsMade: number }> {
  const response = await fetch(`http://127.0.0.1:${port}/api/preview/job/${jobId}/status`);
  return (await response.json()) as { status: string; attemptsMade: number };
}

it('completes a job whose whole service was killed while it rendered', async () => {
  const dataDir = await dataFolder();
  const port = await freePort();
  const steps = Array.from({ length: 60 }, (_, i) => ({
    title: `Step ${i}`,
    text: 'Words.',
    durationSeconds: 1,
  }));
  const job = smallJob('survivor', { steps, options: { resolution: '1280x720', fps: 30 } });

  const first = serve(dataDir, port);
  await ready(port);
  const posted = await fetch(`http://127.0.0.1:${port}/api/preview/job`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(job),
  });
  expect(posted.status).toBe(202);
  await eventually(
    async () => ((await statusOf(port, 'survivor')).status === 'rendering' ? true : undefined),
    'rendering',
  );
  const gone = new Promise((resolve) => first.once('exit', resolve));
  first.kill('SIGKILL');
  await gone;
  expect(existsSync(join(dataDir, 'store/jobs/survivor')), 'it had not ended').toBe(false);

  serve(dataDir, port);
  await ready(port);
  const ended = await eventually(
    async () => {
      const status = await statusOf(port, 'survivor');
      return status.status === 'completed' ? status : undefined;
    },
    'completion after the restart',
    90,
  );
  expect(ended.status).toBe('completed');
}, 150_000);

it('refuses a second process on the same data folder, naming the first one', async () => {
  const dataDir = await dataFolder();
  const port = await freePort();
  const first = serve(dataDir, port);
  await ready(port);
  const second = serve(dataDir, await freePort());
  let said = '';
  second.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const code = await new Promise((resolve) => second.once('exit', resolve));
  expect(code).toBe(1);
  expect(said).toContain(`Process ${first.pid} uses the embedded queue`);
}, 60_000);

it('finishes its running job on SIGTERM and exits with 0', async () => {
  const dataDir = await dataFolder();
  const port = await freePort();
  const first = serve(dataDir, port);
  await ready(port);
  const steps = Array.from({ length: 20 }, (_, i) => ({ title: `Step ${i}`, durationSeconds: 1 }));
  await fetch(`http://127.0.0.1:${port}/api/preview/job`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(smallJob('last-one', { steps, options: { resolution: '1280x720' } })),
  });
  await eventually(
    async () => ((await statusOf(port, 'last-one')).status === 'rendering' ? true : undefined),
    'rendering',
  );
  const exit = new Promise((resolve) => first.once('exit', resolve));
  first.kill('SIGTERM');
  expect(await exit).toBe(0);

  serve(dataDir, port);
  await ready(port);
  expect(await statusOf(port, 'last-one')).toMatchObject({ status: 'completed', attemptsMade: 1 });
}, 90_000);
