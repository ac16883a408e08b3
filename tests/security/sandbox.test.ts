import { fork } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRenderPool, type RenderPool } from '../../src/worker/renderProcess/renderProcess.ts';
import {
  createRenderSandbox,
  type RenderSandbox,
} from '../../src/worker/renderProcess/sandbox/renderSandbox.ts';
import { type Canary, knock, startCanary } from '../support/canary.ts';
import { eventually } from '../support/eventually.ts';
import { processFile } from '../support/processes.ts';
import { toldJob } from '../support/queueWorld.ts';

const PROBE = new URL('../support/sandboxProbe.mjs', import.meta.url);
const MEMORY = 256 * 1024 ** 2;
const isLinux = process.platform === 'linux';

const sandboxOf = (cpuSeconds = 600): RenderSandbox =>
  createRenderSandbox({ memoryBytes: MEMORY, cpuSeconds });
/** The folders of the render processes that a process has started. */
const workFoldersOf = (pid = process.pid): string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith(`preview-render-${hostname()}-${pid}-`));

describe.runIf(isLinux)('the process that renders', () => {
  const sandbox = sandboxOf();
  const isConfined = (mechanism: string): boolean =>
    !sandbox.missing.some((missing) => missing.startsWith(mechanism));
  let folder: string;
  let pool: RenderPool;
  let canary: Canary;
  let job = 0;

  /** What the process says of something that it tried. */
  const tried = async (...words: string[]): Promise<unknown> => {
    const control = { signal: new AbortController().signal, onProgress: () => undefined };
    const error = await pool
      .render({ job: toldJob(`try-${job++}`, words), assets: [] }, control)
      .catch((thrown: unknown) => thrown as { code: string; message: string });
    if (!('code' in error)) throw new Error('the probe never renders');
    return error.code === 'asset_corrupt' ? JSON.parse(error.message) : error.code;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'preview-sandbox-'));
    await writeFile(join(folder, 'secret'), 'secret');
    canary = await startCanary();
    pool = createRenderPool(join(folder, 'store'), { entry: PROBE, sandbox });
  });

  afterAll(async () => {
    await pool.close();
    await canary.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('has nothing of the environment, and a folder of its own, which is removed', async () => {
    const { cwd, ...environment } = (await tried('environment')) as Record<string, string>;
    const names = Object.keys(environment).filter((name) => !name.startsWith('MALLOC_'));
    expect(names.sort()).toEqual(['HOME', 'NODE_ENV', 'TMPDIR']);
    expect(environment).toMatchObject({ HOME: cwd, TMPDIR: cwd });
    expect(await tried('write', join(String(cwd), 'file'))).toBe('done');
    const other = createRenderPool(join(folder, 'store'), { entry: PROBE, sandbox });
    const before = workFoldersOf().length;
    await other.close();
    expect(workFoldersOf().length).toBe(before - 1);
    expect(existsSync(String(cwd))).toBe(true);
  });

  it.runIf(isConfined('limits'))('has limits of memory, CPU time, file size and open files', async () => {
    const limits = String(await tried('limits'));
    expect(limits).toMatch(/Max cpu time +600 +605/);
    expect(limits).toMatch(/Max file size +4294967296/);
    expect(limits).toMatch(/Max data size +805306368/);
    expect(limits).toMatch(/Max open files +256/);
    expect(limits).toMatch(/Max core file size +0 +0/);
  });

  it.runIf(isConfined('system call filter'))('reaches nobody, and starts nothing', async () => {
    await knock('127.0.0.1', canary.port);
    expect(canary.seen).toHaveLength(1);
    expect(await tried('connect', String(canary.port))).toBe('EACCES');
    expect(canary.seen).toHaveLength(1);
    expect(await tried('start')).toBe('EACCES');
    expect(String(await tried('status'))).toMatch(/NoNewPrivs:\s1[\s\S]*Seccomp:\s2/);
  });

  it.runIf(isConfined('files'))('uses its own files and the store, and no others', async () => {
    expect(await tried('store')).toBe('x');
    for (const path of ['/etc/passwd', join(folder, 'secret'), '/proc/1/environ', '/root/.bashrc']) {
      expect(await tried('read', path), path).toMatch(/EACCES|ENOENT/);
    }
    expect(await tried('read', join(folder, 'secret'))).toBe('EACCES');
    expect(await tried('list', '/')).toBe('EACCES');
    expect(await tried('list', folder)).toBe('EACCES');
    for (const path of [
      join(folder, 'new'),
      join(folder, 'store/jobs'),
      join(process.cwd(), 'dist/cli.js'),
    ]) {
      expect(await tried('write', path), path).toBe('EACCES');
    }
  });

  it('that holds too much memory ends with a code of its own; the next job finds another', async () => {
    expect(await tried('hold', '64')).toBe('done');
    expect(await tried('hold', '2048')).toBe('render_memory_exceeded');
    expect(await tried('hold', '16')).toBe('done');
  });

  it.runIf(isConfined('limits'))('gets no more memory at once than the kernel was told', async () => {
    expect(await tried('holdAtOnce', '900')).toBe('Array buffer allocation failed');
    expect(await tried('hold', '16')).toBe('done');
  });

  it.runIf(isConfined('limits'))('that uses too much CPU time is ended', async () => {
    const short = createRenderPool(join(folder, 'store'), { entry: PROBE, sandbox: sandboxOf(1) });
    const control = { signal: new AbortController().signal, onProgress: () => undefined };
    const spinning = short.render({ job: toldJob('spin', ['spin']), assets: [] }, control);
    await expect(spinning).rejects.toMatchObject({ code: 'render_timeout' });
    await short.close();
  });
});

describe.runIf(isLinux)('the folders of render processes', () => {
  it('are swept at the next start where their service was killed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'preview-sandbox-'));
    const service = fork(processFile('poolProcess'), [folder]);
    await new Promise((resolve) => service.once('message', resolve));
    const left = (): string[] => workFoldersOf(service.pid);
    expect(left()).toHaveLength(1);
    const ended = new Promise((resolve) => service.once('exit', resolve));
    service.kill('SIGKILL');
    await ended;
    expect(left()).toHaveLength(1);
    sandboxOf();
    await eventually(async () => left().length === 0 || undefined, 'the end of the folders');
    await rm(folder, { recursive: true, force: true });
  });
});
