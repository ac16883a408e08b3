import { extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { settlesWithin } from '../../concurrency/settlesWithin.ts';
import { PreviewError } from '../../errors.ts';
import type { PlanSummary, Progress } from '../../job/jobRecord.ts';
import type { PreviewJob } from '../../job/previewJob.types.ts';
import type { PartReport } from '../../render/parts/partMaker.ts';
import type { RenderResult } from '../../render/renderPreview.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';
import type { RenderAnswer, RenderTask, StopOrder } from './renderProtocol.ts';
import { createRenderSandbox, type RenderSandbox } from './sandbox/renderSandbox.ts';
import { usageOf } from './sandbox/usage.ts';
import { crashed, outOfMemory, type RenderChild, startChild } from './startRenderChild.ts';
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

/** How long a child may take to stop: what is encoded or decoded at the moment comes to its end. */
const STOP_MS = 300;
/**
 * How long a job waits for the child of the one that it supersedes, which is told to stop at that moment. Another child
 * would have to decode the photographs anew.
 */
const WAIT_MS = 200;
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

  const takeIdle = (suits: (child: RenderChild) => boolean): RenderChild | undefined => {
    const at = idle.findLastIndex(suits);
    return at < 0 ? undefined : idle.splice(at, 1)[0];
  };

  /** Whoever has drawn the storyboard before has its pictures at hand, and is about to be free where it still draws. */
  const take = async ({ kind, job }: RenderTask): Promise<RenderChild> => {
    const storyboard = storyboardOf(job);
    const last = [...all].find((child) => child.storyboard === storyboard);
    if (kind === 'render' && storyboard !== undefined && last) {
      if (last.free && !idle.includes(last)) await settlesWithin(last.free, WAIT_MS);
      const same = takeIdle((child) => child === last);
      if (same) return same;
    }
    // Others leave it alone as long as there are more, and then take the one whose author is away for longest.
    return takeIdle((child) => child.storyboard === undefined) ?? idle.shift() ?? start();
  };

  const run = async (task: RenderTask, control: RenderControl): Promise<RenderAnswer> => {
    control.signal.throwIfAborted();
    const child = await take(task);
    const answer = await use(child, task, control);
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

  /** Runs the task; the child is there for the next one afterwards, unless it has ended or is used up. */
  const use = async (child: RenderChild, task: RenderTask, control: RenderControl): Promise<RenderAnswer> => {
    let setFree = (): void => undefined;
    child.free = new Promise((resolve) => {
      setFree = resolve;
    });
    if (task.kind === 'render') child.storyboard = storyboardOf(task.job);
    try {
      const answer = await runTask(child, task, control, memoryBytes);
      child.tasks += task.kind === 'plan' ? PLAN_SHARE : 1;
      // Its rights are to the folder as it was: one that comes back may be another one.
      const lacksStore = answer.type === 'failed' && answer.code === 'store_unavailable';
      if (isFresh(child) && !lacksStore) idle.push(child);
      else child.process.disconnect();
      return answer;
    } finally {
      setFree();
    }
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

/** What jobs have in common that supersede each other; undefined for a job that does not. */
const storyboardOf = ({ projectId, supersedes }: PreviewJob): string | undefined =>
  supersedes === undefined ? undefined : `${projectId}/${supersedes}`;

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
