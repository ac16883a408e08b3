import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { PreviewError } from '../errors.ts';
import type { PlanSummary, Progress } from '../job/jobRecord.ts';
import type { PartReport } from '../render/partMaker.ts';
import type { RenderResult } from '../render/renderPreview.ts';
import type { ArtifactStore } from '../storage/artifactStore.ts';
import { foldersOfRenders } from '../storage/fsLayout.ts';
import type { RenderAnswer, RenderTask, StopOrder } from './renderProtocol.ts';
import type { Rule } from './sandbox/confine.ts';
import { createRenderSandbox, type RenderSandbox } from './sandbox/renderSandbox.ts';
import { tellsOfShortage } from './sandbox/shortage.ts';
import { usageOf } from './sandbox/usage.ts';
import { makeWorkFolder, removeWorkFolder } from './sandbox/workFolder.ts';
import { serveStore } from './storeChannel.ts';

/** Renders in child processes that can be killed; a child serves one task at a time and is kept for the next. */
export interface RenderPool {
  render(task: Omit<RenderTask, 'kind'>, control: RenderControl): Promise<RenderResult>;
  plan(task: Omit<RenderTask, 'kind'>, control: RenderControl): Promise<PlanSummary>;
  close(): Promise<void>;
}

export interface RenderControl {
  /** Stops the task, which fails with the signal's reason; a child that does not stop is killed. */
  signal: AbortSignal;
  /** Kills the child after that many milliseconds; left out where the signal keeps the deadline. */
  timeoutMs?: number;
  onProgress(progress: Progress): void;
  onPart?(part: PartReport): void;
  /** A line that the child wrote to stderr: native libraries complain there. Without it the line goes to our stderr. */
  onComplaint?(line: string): void;
}

/** Native memory that a long-lived process collects is given back with the process. */
const TASKS_PER_CHILD = 200;
/** A plan reads headers at most, and is that much of a task. */
const PLAN_SHARE = 1 / 50;

/**
 * glibc keeps freed memory for each thread, and learns from the first large blocks that come and go to keep those too. Here
 * pictures go back to the system when they are freed (mallopt(3)): 60 steps at 1920x1080 took 555 MB without these, 380 MB
 * with them, in the same time.
 */
const FRUGAL_MALLOC = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '1000000' };

interface RenderChild {
  process: ChildProcess;
  ready: Promise<void>;
  /** Settles when it has ended and its folder is removed. */
  gone: Promise<void>;
  tasks: number;
  /** Of the task that it has or had last: a complaint may arrive after the answer, or after the death. */
  control?: RenderControl;
  /** What it said last of an allocation that failed. */
  shortage?: string;
}

/** How long a child may take to stop: what is encoded or decoded at the moment comes to its end. */
const STOP_MS = 300;
/** How often a process that renders is looked at. */
const USAGE_MS = 50;

const RENDER_CHILD = new URL(`./renderChild${extname(fileURLToPath(import.meta.url))}`, import.meta.url);

/**
 * @param place folder of the file system store that the children open, or a store that is used on their behalf
 * @param options.entry the module that a child runs; it speaks renderProtocol.ts
 * @param options.fontsFolder fonts beside those of the package
 * @param options.sandbox how a child is started, and what it may use
 */
export function createRenderPool(
  place: string | ArtifactStore,
  {
    entry = RENDER_CHILD,
    fontsFolder,
    sandbox = createRenderSandbox(),
  }: { entry?: URL; fontsFolder?: string | undefined; sandbox?: RenderSandbox } = {},
): RenderPool {
  const idle: RenderChild[] = [];
  const all = new Set<RenderChild>();
  const { memoryBytes, cpuSeconds } = sandbox.limits;

  const start = (): RenderChild => {
    const store = typeof place === 'string' ? resolve(place) : '';
    const fonts = fontsFolder === undefined ? '' : resolve(fontsFolder);
    const child = startChild(entry, { store, fonts }, sandbox);
    if (typeof place !== 'string') serveStore(child.process, place);
    all.add(child);
    child.process.once('exit', () => {
      void child.gone.then(() => all.delete(child));
      const at = idle.indexOf(child);
      if (at >= 0) idle.splice(at, 1);
    });
    return child;
  };

  const run = async (task: RenderTask, control: RenderControl): Promise<RenderAnswer> => {
    control.signal.throwIfAborted();
    const child = idle.pop() ?? start();
    const answer = await runTask(child, task, control, memoryBytes);
    child.tasks += task.kind === 'plan' ? PLAN_SHARE : 1;
    if (isFresh(child)) idle.push(child);
    else child.process.disconnect();
    control.signal.throwIfAborted();
    if (answer.type === 'failed') {
      throw new PreviewError(answer.code, answer.message, {
        cause: new Error(answer.detail),
        ...(answer.errors ? { errors: answer.errors } : {}),
        ...(answer.place ? { place: answer.place } : {}),
      });
    }
    return answer;
  };

  /** True where the next task has at least half of everything for itself. */
  const isFresh = ({ tasks, process: { pid = 0 } }: RenderChild): boolean => {
    const used = usageOf(pid) ?? { bytes: 0, cpuSeconds: 0 };
    return tasks < TASKS_PER_CHILD && used.bytes < memoryBytes / 2 && used.cpuSeconds < cpuSeconds / 2;
  };

  // The first job finds a child that is ready.
  idle.push(start());

  return {
    async render(task, control) {
      const answer = await run({ ...task, kind: 'render' }, control);
      if (answer.type !== 'rendered') throw new Error(`a render was answered with ${answer.type}`);
      return answer.result;
    },
    async plan(task, control) {
      const answer = await run({ ...task, kind: 'plan' }, control);
      if (answer.type !== 'planned') throw new Error(`a plan was answered with ${answer.type}`);
      return answer.plan;
    },
    async close() {
      await Promise.all(
        [...all].map(({ process, gone }) => {
          process.kill('SIGKILL');
          return gone;
        }),
      );
    },
  };
}

function startChild(
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

async function runTask(
  child: RenderChild,
  task: RenderTask,
  control: RenderControl,
  memoryBytes: number,
): Promise<RenderAnswer> {
  const { process } = child;
  let reason: unknown;
  const kill = (why: unknown): void => {
    reason ??= why;
    process.kill('SIGKILL');
  };
  let stopping: NodeJS.Timeout | undefined;
  /** A child that stops by itself is there for the next task; one that was killed has to be started, which takes half a second. */
  const onAbort = (): void => {
    if (process.connected) process.send({ kind: 'stop' } satisfies StopOrder);
    stopping = setTimeout(() => kill(control.signal.reason), STOP_MS);
  };
  const watching = setInterval(() => {
    const { bytes } = usageOf(process.pid ?? 0) ?? { bytes: 0 };
    if (bytes > memoryBytes) kill(outOfMemory(new Error(`the render child held ${bytes} bytes`)));
  }, USAGE_MS);
  const { timeoutMs } = control;
  const onDeadline = (): void =>
    kill(new PreviewError('render_timeout', `The render took longer than ${Number(timeoutMs) / 1000} s.`));
  const deadline = timeoutMs === undefined ? undefined : setTimeout(onDeadline, timeoutMs);
  let onExit: ((code: number | null, signal: NodeJS.Signals | null) => void) | undefined;
  const gone = new Promise<never>((_, reject) => {
    // Its last words are read in the same turn of the loop as its end.
    onExit = (code, signal) => setImmediate(() => reject(crashed(code, signal, child.shortage)));
    process.once('exit', onExit);
  });
  gone.catch(() => undefined);
  let onMessage: ((message: RenderAnswer) => void) | undefined;
  child.control = control;
  try {
    control.signal.addEventListener('abort', onAbort);
    await Promise.race([child.ready, gone]);
    if (control.signal.aborted) return { type: 'failed', code: 'cancelled', message: '', detail: '' };
    const done = new Promise<RenderAnswer>((resolve) => {
      onMessage = (message) => {
        if (message.type === 'reports') {
          for (const part of message.parts) control.onPart?.(part);
          if (message.progress) control.onProgress(message.progress);
        }
        // What it complained of before it answered is read in the same turn of the loop.
        else if (message.type !== 'store') setImmediate(resolve, message);
      };
      process.on('message', onMessage);
    });
    process.send(task);
    return await Promise.race([done, gone]);
  } catch (error) {
    // Who killed the child knows why it ended; the child's own end says less.
    throw reason ?? error;
  } finally {
    clearTimeout(deadline);
    clearTimeout(stopping);
    clearInterval(watching);
    control.signal.removeEventListener('abort', onAbort);
    if (onMessage) process.off('message', onMessage);
    if (onExit) process.off('exit', onExit);
  }
}

function crashed(code: number | null, signal: string | null, shortage?: string): PreviewError {
  const how = signal ? `signal ${signal}` : `exit code ${code}`;
  const cause = new Error(`the render child ended with ${how}${shortage ? `: ${shortage}` : ''}`);
  if (shortage) return outOfMemory(cause);
  if (signal === 'SIGXCPU')
    return new PreviewError('render_timeout', 'The render used too much CPU time.', { cause });
  return new PreviewError('render_crashed', undefined, { cause });
}

const outOfMemory = (cause: Error): PreviewError =>
  new PreviewError('render_memory_exceeded', undefined, { cause });
