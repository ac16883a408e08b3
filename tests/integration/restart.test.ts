import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { placeDatabase } from '../support/placeDatabase.ts';
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
  await placeDatabase(folder);
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

async function ask<Answer>(port: number, path: string): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}/api/preview/job/${path}`);
  return (await response.json()) as Answer;
}

interface History {
  attempts: { outcome?: string }[];
  parts: { kind: string; reused: boolean }[];
}
const segments = ({ parts }: History) => parts.filter(({ kind }) => kind === 'segment');

it('completes a job whose whole service was killed while it rendered', async () => {
  const dataDir = await dataFolder();
  const port = await freePort();
  const steps = Array.from({ length: 30 }, (_, i) => ({
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
  const before = await eventually(async () => {
    const history = await ask<History>(port, 'survivor/history');
    return segments(history).length > 0 ? history : undefined;
  }, 'a segment that is finished');
  const gone = new Promise((resolve) => first.once('exit', resolve));
  first.kill('SIGKILL');
  await gone;
  expect(existsSync(join(dataDir, 'store/jobs/survivor')), 'it had not ended').toBe(false);

  serve(dataDir, port);
  await ready(port);
  const ended = await eventually(
    async () => {
      const now = await ask<{ finishedAt?: string }>(port, 'survivor/status');
      return now.finishedAt === undefined ? undefined : now;
    },
    'the end after the restart',
    90,
  );
  expect(ended).toMatchObject({ status: 'completed', attemptsMade: 1 });
  // The next attempt goes on from what the killed one had finished.
  const { attempts, parts } = await ask<History>(port, 'survivor/history');
  expect(attempts.map(({ outcome }) => outcome)).toEqual([undefined, 'completed']);
  const reused = parts.filter(({ kind, reused }) => kind === 'segment' && reused);
  expect(reused.length).toBeGreaterThanOrEqual(segments(before).length);
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
