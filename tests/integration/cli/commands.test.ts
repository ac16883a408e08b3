import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { placeDatabase } from '../../support/placeDatabase.ts';
import { CLI } from '../../support/processes.ts';
import { smallJob } from '../../support/service.ts';

let folder = '';
const started: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'preview-commands-'));
});

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

// A render process outlives its killed service by a moment, and may still write.
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 20 }));

/** The real command line in a process of its own, with what it has printed so far. */
function run(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { PATH: process.env.PATH, DATA_DIR: join(folder, 'data'), ...env },
  });
  started.push(child);
  const printed = { out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    printed.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    printed.err += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, printed, ended };
}

async function longJob(name: string): Promise<string> {
  const steps = Array.from({ length: 100 }, (_, i) => ({ title: `Step ${i}`, durationSeconds: 1 }));
  const file = join(folder, `${name}.json`);
  await writeFile(file, JSON.stringify(smallJob(name, { steps, options: { resolution: '1920x1080' } })));
  return file;
}

describe('preview-worker', () => {
  test('names all that is wrong with the environment, and starts nothing', async () => {
    const { ended, printed } = run(['serve'], { PORT: 'http', PREVIEW_QUEUE_MAX: '0' });
    expect(await ended).toBe(1);
    expect(printed.err.split('\n')).toEqual([
      'config_invalid: PREVIEW_QUEUE_MAX is "0", but must be a whole number from 1 to 1000000',
      'PORT is "http", but must be a whole number from 0 to 65535',
      'See docs/configuration.md.',
      '',
    ]);
    expect(await readdir(folder)).not.toContain('data');
  });

  test('serves nobody without keys on an address that others can reach', async () => {
    const { ended, printed } = run(['api'], { HOST: '0.0.0.0' });
    expect(await ended).toBe(1);
    expect(printed.err).toContain('set PREVIEW_API_KEYS=projectId:key, or HOST=127.0.0.1');
  });

  test('ends with a clear sentence where the port is in use, and leaves the data folder free', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const address = taken.address();
    const port = String(typeof address === 'object' ? address?.port : '');
    const env = { PORT: port, DATA_DIR: join(folder, 'port') };
    await placeDatabase(env.DATA_DIR);
    try {
      const { ended, printed } = run(['serve'], env);
      expect(await ended).toBe(1);
      expect(printed.err).toContain(`config_invalid: PORT ${port} is in use`);
    } finally {
      await new Promise((resolve) => taken.close(resolve));
    }
    const second = run(['serve'], env);
    await eventually(async () => second.printed.out.includes('"listening"') || undefined, 'listening');
  }, 60_000);

  test('says which job file it cannot read', async () => {
    const { ended, printed } = run(['validate', 'nowhere.json']);
    expect(await ended).toBe(2);
    expect(printed.err).toBe(
      'invalid_request: nowhere.json cannot be read; check the name of the job file.\n',
    );
  });

  test('renders where HOST would need keys to serve, because render listens nowhere', async () => {
    const file = join(folder, 'title.json');
    await writeFile(file, JSON.stringify(smallJob('title')));
    const { ended, printed } = run(['render', file, '--out', join(folder, 'out')], { HOST: '0.0.0.0' });
    expect(await ended).toBe(0);
    // A plain log has a line for each stage, and no bar.
    expect(printed.out).toMatch(/^ +100 % {2}done$/m);
    expect(printed.out).not.toContain('\u001b');
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'ends a render on %s, and its child process with it',
    async (signal) => {
      const { child, ended, printed } = run(['render', await longJob(signal), '--out', join(folder, 'none')]);
      await eventually(async () => printed.out.includes('segments') || undefined, 'rendering');
      const children = await childrenOf(child.pid);
      expect(children).not.toHaveLength(0);
      child.kill(signal);
      expect(await ended).toBe(1);
      expect(printed.err).toBe('cancelled: Interrupted.\n');
      for (const pid of children) expect(isRunning(pid)).toBe(false);
      expect(await readdir(folder)).not.toContain('none');
    },
  );

  test('ends at once on a second signal, though a job still runs', async () => {
    const DATA_DIR = join(folder, 'twice');
    await placeDatabase(DATA_DIR);
    const { child, ended, printed } = run(['serve'], { PORT: '0', DATA_DIR });
    const url = await eventually(async () => /"url":"([^"]+)"/.exec(printed.out)?.[1], 'listening');
    const steps = Array.from({ length: 300 }, (_, i) => ({ title: `Step ${i}`, durationSeconds: 1 }));
    await fetch(`${url}/api/preview/job`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(smallJob('slow', { steps, options: { resolution: '1920x1080' } })),
    });
    await eventually(async () => printed.out.includes('job started') || undefined, 'the start of the job');
    child.kill('SIGTERM');
    await eventually(async () => printed.out.includes('"stopping"') || undefined, 'stopping');
    const children = await childrenOf(child.pid);
    expect(children).not.toHaveLength(0);
    child.kill('SIGTERM');
    expect(await ended).toBe(1);
    expect(printed.out).not.toContain('job completed');
    // They find out by themselves that nobody listens any more.
    await eventually(async () => !children.some(isRunning) || undefined, 'the end of the render processes');
  }, 60_000);
});

/** Pids of the processes that a process has started and that still run; from proc(5), so on Linux only. */
async function childrenOf(pid: number | undefined): Promise<number[]> {
  const listed = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return listed.split(' ').filter(Boolean).map(Number);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
