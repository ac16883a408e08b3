import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveAssets } from '../../src/assets/resolveAssets.ts';
import { PreviewError } from '../../src/errors.ts';
import type { ArtifactStore } from '../../src/storage/artifactStore.ts';
import { createFsStore } from '../../src/storage/folder/fsStore.ts';
import { createRenderPool, type RenderPool } from '../../src/worker/renderProcess/renderProcess.ts';
import { createRenderSandbox } from '../../src/worker/renderProcess/sandbox/renderSandbox.ts';
import { type Canary, knock, startCanary } from './canary.ts';
import { eventually } from './eventually.ts';
import { fetchingFiles, type HostileFile, hostileFiles, wav } from './hostileFiles.ts';
import { smallJob } from './service.ts';

const MEMORY = 1.5 * 1024 ** 3;
/** Alone, each takes less than 2 s of one processor; on a machine that others use, the clock says nothing. */
const CPU_SECONDS = 2;
const isThere = (command: string): boolean => spawnSync(command, ['-h']).error === undefined;
const canRun = isThere('ffmpeg') && process.platform === 'linux';

/** @param tenths of its length at which each kind of file is cut off @param traceEvery one of so many is looked at by strace */
export function hostileFilesSuite({ tenths, traceEvery }: { tenths: number[]; traceEvery: number }): void {
  describe.runIf(canRun)('files that are made to hurt', { timeout: 240_000 }, () => {
    let folder: string;
    let store: ArtifactStore;
    let pool: RenderPool;
    let canary: Canary;
    let jobs = 0;
    let files: HostileFile[];

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'preview-hostile-'));
      store = await createFsStore(join(folder, 'store'));
      const sandbox = createRenderSandbox({ memoryBytes: MEMORY, cpuSeconds: 3600 });
      pool = createRenderPool(join(folder, 'store'), { sandbox });
      canary = await startCanary();
      files = [...(await hostileFiles(tenths)), ...fetchingFiles(`http://127.0.0.1:${canary.port}`)];
    }, 120_000);

    afterAll(async () => {
      await pool?.close();
      await canary?.close();
      await rm(folder, { recursive: true, force: true });
    });

    /** What became of a job with the file: `rendered`, or the code of its error. */
    async function outcomeOf({ type, bytes }: HostileFile, by = pool): Promise<string> {
      await writeFile(join(folder, 'file'), bytes);
      const steps = [
        { durationSeconds: 1, ...(type === 'audio' ? { narration: 'file' } : { asset: 'file' }) },
      ];
      const job = smallJob(`hostile-${jobs++}`, { steps, assets: [{ id: 'file', type, path: 'file' }] });
      const control = {
        signal: new AbortController().signal,
        onProgress: () => undefined,
        onComplaint: () => undefined,
      };
      try {
        const assets = await resolveAssets(job, {
          store,
          baseFolder: folder,
          maxBytes: 2 ** 26,
          signal: control.signal,
        });
        await by.render({ job, assets }, control);
        return 'rendered';
      } catch (error) {
        if (error instanceof PreviewError) return error.code;
        throw error;
      }
    }

    it('are refused with a code of their own or rendered, in time, by a process that lives on', async () => {
      expect(files.length).toBeGreaterThan(60);
      const wrong: string[] = [];
      const pids = new Set<number>();
      for (const file of files) {
        let least = Number.POSITIVE_INFINITY;
        // Processors that share a core take up to twice as long for the same; what costs too much does so each time.
        for (let tries = 0; tries < 3 && least > CPU_SECONDS; tries++) {
          const before = await childOf();
          const cpu = await cpuSecondsOf(before);
          const outcome = await outcomeOf(file);
          const after = await childOf();
          pids.add(after);
          const used = after === before ? (await cpuSecondsOf(after)) - cpu : await cpuSecondsOf(after);
          least = Math.min(least, used);
          if (!file.outcomes.includes(outcome)) wrong.push(`${file.name}: ${outcome}`);
        }
        if (least > CPU_SECONDS) wrong.push(`${file.name}: ${least} s of CPU time`);
      }
      expect(wrong).toEqual([]);
      // Retired for what it holds at most, and never killed by a file.
      expect(pids.size).toBeLessThanOrEqual(4);
      expect(await outcomeOf(files[0] as HostileFile)).toBe('rendered');
    });

    it('make nobody come to the address that they name', async () => {
      await knock('127.0.0.1', canary.port);
      expect(canary.seen).toEqual(['127.0.0.1']);
    });

    it.runIf(isThere('strace'))(
      'make the process open nothing but its own files, and no socket',
      async () => {
        const trace = join(folder, 'trace');
        // Not retired for what it holds, so that one process is looked at all the time.
        const sandbox = createRenderSandbox({ memoryBytes: 2 ** 34, cpuSeconds: 3600 });
        const others = await childrenOf();
        const watched = createRenderPool(join(folder, 'store'), { sandbox });
        expect(await outcomeOf(files[0] as HostileFile, watched)).toBe('rendered');
        // The first sound starts a thread, which reads Node.js and its own code.
        const silence = wav(1, 8000, 16, 1, Buffer.alloc(16_000));
        const sound = { name: 'a second of silence', type: 'audio', bytes: silence, outcomes: [] } as const;
        expect(await outcomeOf(sound, watched)).toBe('rendered');
        const [pid = 0] = (await childrenOf()).filter((child) => !others.includes(child));
        const calls = 'open,openat,openat2,creat,socket,connect,bind,execve,fork,vfork,clone';
        const strace = spawn('strace', ['-f', '-qq', '-e', `trace=${calls}`, '-o', trace, '-p', String(pid)]);
        await eventually(async () => ((await tracerOf(pid)) > 0 ? true : undefined), 'the tracer');
        const sample = files.filter(({ bytes }, i) => bytes.length < 1e6 && i % traceEvery === 0);
        for (const file of [...sample, ...fetchingFiles(`http://127.0.0.1:${canary.port}`)])
          await outcomeOf(file, watched);
        expect(await childrenOf()).toContain(pid);
        const ended = new Promise((resolve) => strace.once('exit', resolve));
        strace.kill('SIGINT');
        await ended;
        await watched.close();
        const lines = (await readFile(trace, 'utf8')).split('\n');
        expect(lines.filter((line) => /\b(socket|connect|bind|execve|v?fork)\(/.test(line))).toEqual([]);
        const own = [
          join(folder, 'store/'),
          join(process.cwd(), 'dist/'),
          join(process.cwd(), 'node_modules/'),
          join(process.cwd(), 'fonts/'),
        ];
        const machine = [
          '/lib/',
          '/usr/lib/',
          '/proc/self/',
          '/sys/fs/cgroup/',
          '/sys/devices/system/cpu/',
          '/dev/urandom',
        ];
        const opened = lines.flatMap((line) => /open(?:at)?2?\([^"]*"([^"]*)".*= \d+/.exec(line)?.[1] ?? []);
        expect(opened.length).toBeGreaterThan(100);
        const isOwn = (path: string): boolean =>
          [...own, ...machine].some((start) => `${path}/`.startsWith(start)) ||
          path.includes('/preview-render-');
        expect([...new Set(opened.filter((path) => !isOwn(path)))]).toEqual([]);
      },
    );
  });
}

/** The render children of this process that are there (proc_pid_task(5)). */
async function childrenOf(): Promise<number[]> {
  const found: number[] = [];
  const children = await readFile(`/proc/self/task/${process.pid}/children`, 'utf8');
  for (const pid of children.split(' ').filter(Boolean)) {
    // Of one that has ended there is none.
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.startsWith(process.execPath) && command.includes('renderChild')) found.push(Number(pid));
  }
  return found;
}

const childOf = (): Promise<number> => eventually(async () => (await childrenOf())[0], 'a render child');

async function cpuSecondsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100 || 0;
}

async function tracerOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^TracerPid:\s(\d+)/m.exec(status)?.[1] ?? 0);
}
