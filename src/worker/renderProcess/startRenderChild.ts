import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { PreviewError } from '../../errors.ts';
import { foldersOfRenders } from '../../storage/folder/fsLayout.ts';
import type { RenderControl } from './renderProcess.ts';
import type { Rule } from './sandbox/confine.ts';
import type { RenderSandbox } from './sandbox/renderSandbox.ts';
import { tellsOfShortage } from './sandbox/shortage.ts';
import { makeWorkFolder, removeWorkFolder } from './sandbox/workFolder.ts';

/**
 * glibc keeps freed memory for each thread, and learns from the first large blocks that come and go to keep those too. Here
 * pictures go back to the system when they are freed (mallopt(3)): 60 steps at 1920x1080 took 555 MB without these, 380 MB
 * with them, in the same time.
 */
const FRUGAL_MALLOC = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '1000000' };

/** A render process. */
export interface RenderChild {
  process: ChildProcess;
  ready: Promise<void>;
  /** Settles when it has ended and its folder is removed. */
  gone: Promise<void>;
  tasks: number;
  /** Settles when the task that it has is over. */
  free?: Promise<void>;
  /** What it has drawn last, see {@link RenderPool}. */
  storyboard?: string | undefined;
  /** Of the task that it has or had last: a complaint may arrive after the answer, or after the death. */
  control?: RenderControl;
  /** What it said last of an allocation that failed. */
  shortage?: string;
}

/** Starts a process that runs `entry`, as the sandbox says. */
export function startChild(
  entry: URL,
  { store, fonts }: { store: string; fonts: string },
  sandbox: RenderSandbox,
): RenderChild {
  const folder = makeWorkFolder();
  const module = fileURLToPath(entry);
  // From sources the loader comes with process.execArgv, is found from here, and keeps what it has compiled in /tmp.
  const isBuilt = !module.endsWith('.ts');
  const loader = isBuilt ? [] : process.execArgv;
  const node = [process.execPath, ...loader, module, store, fonts];
  const [command, ...args] = sandbox.wrap(node, [
    ['read', module],
    ['write', folder],
    ...rulesFor(store, fonts),
  ]);
  const child = spawn(command, args, {
    ...(isBuilt ? { cwd: folder } : {}),
    // No secret of the service's environment reaches the process that decodes what strangers send.
    env: { NODE_ENV: 'production', HOME: folder, ...(isBuilt ? { TMPDIR: folder } : {}), ...FRUGAL_MALLOC },
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve(removeWorkFolder(folder)));
    child.once('error', () => resolve(removeWorkFolder(folder)));
  });
  // Where the machine runs out of memory, this one goes first. It may be gone already, or not run on Linux.
  if (child.pid) writeFile(`/proc/${child.pid}/oom_score_adj`, '1000').catch(() => undefined);
  const ready = new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('exit', (code, signal) => reject(crashed(code, signal)));
    // Also for a task that could not be sent to a child that is just dying; its exit says the rest.
    child.on('error', reject);
  });
  // Whoever waits for it hears of it; that nobody waits yet is no reason to end the service.
  ready.catch(() => undefined);
  const started: RenderChild = { process: child, ready, gone, tasks: 0 };
  if (child.stderr) {
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (tellsOfShortage(line)) started.shortage = line;
      if (started.control?.onComplaint) started.control.onComplaint(line);
      else process.stderr.write(`${line}\n`);
    });
  }
  return started;
}

function rulesFor(store: string, fonts: string): Rule[] {
  const shared = store ? foldersOfRenders(store) : [];
  // A rule is about a folder that is there.
  for (const folder of shared) mkdirSync(folder, { recursive: true });
  return [
    ...(store ? [['list', store] satisfies Rule] : []),
    ...shared.map((folder): Rule => ['write', folder]),
    ...(fonts ? [['read', fonts] satisfies Rule] : []),
  ];
}

/** Why a child ended that nobody had ended. */
export function crashed(code: number | null, signal: string | null, shortage?: string): PreviewError {
  const how = signal ? `signal ${signal}` : `exit code ${code}`;
  const cause = new Error(`the render child ended with ${how}${shortage ? `: ${shortage}` : ''}`);
  if (shortage) return outOfMemory(cause);
  if (signal === 'SIGXCPU')
    return new PreviewError('render_timeout', 'The render used too much CPU time.', { cause });
  return new PreviewError('render_crashed', undefined, { cause });
}

export const outOfMemory = (cause: Error): PreviewError =>
  new PreviewError('render_memory_exceeded', undefined, { cause });
