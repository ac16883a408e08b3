import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { PreviewError } from '../errors.ts';
import type { PlanSummary, Progress } from '../job/jobRecord.ts';
import type { PartReport } from '../render/partMaker.ts';
import type { RenderResult } from '../render/renderPreview.ts';
import type { ArtifactStore } from '../storage/artifactStore.ts';
import type { RenderAnswer, RenderTask } from './renderProtocol.ts';
import { serveStore } from './storeChannel.ts';

/** Renders in child processes that can be killed; a child serves one task at a time and is kept for the next. */
export interface RenderPool {
  render(task: Omit<RenderTask, 'kind'>, control: RenderControl): Promise<RenderResult>;
  plan(task: Omit<RenderTask, 'kind'>, control: RenderControl): Promise<PlanSummary>;
  close(): Promise<void>;
}

export interface RenderControl {
  /** Kills the child; the task fails with the signal's reason. */
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

interface RenderChild {
  process: ChildProcess;
  ready: Promise<void>;
  tasks: number;
  /** Of the task that it has or had last: a complaint may arrive after the answer, or after the death. */
  control?: RenderControl;
}

// From sources the loader comes with process.execArgv, which fork hands on.
const RENDER_CHILD = new URL(`./renderChild${extname(fileURLToPath(import.meta.url))}`, import.meta.url);

/**
 * @param place folder of the file system store that the children open, or a store that is used on their behalf
 * @param options.entry the module that a child runs; it speaks renderProtocol.ts
 * @param options.fontsFolder fonts beside those of the package
 */
export function createRenderPool(
  place: string | ArtifactStore,
  { entry = RENDER_CHILD, fontsFolder }: { entry?: URL; fontsFolder?: string | undefined } = {},
): RenderPool {
  const idle: RenderChild[] = [];
  const all = new Set<RenderChild>();

  const start = (): RenderChild => {
    const child = startChild([typeof place === 'string' ? place : '', fontsFolder ?? ''], entry);
    if (typeof place !== 'string') serveStore(child.process, place);
    all.add(child);
    child.process.once('exit', () => {
      all.delete(child);
      const at = idle.indexOf(child);
      if (at >= 0) idle.splice(at, 1);
    });
    return child;
  };

  const run = async (task: RenderTask, control: RenderControl): Promise<RenderAnswer> => {
    control.signal.throwIfAborted();
    const child = idle.pop() ?? start();
    const answer = await runTask(child, task, control);
    child.tasks++;
    if (child.tasks < TASKS_PER_CHILD) idle.push(child);
    else child.process.disconnect();
    if (answer.type === 'failed') {
      throw new PreviewError(answer.code, answer.message, {
        cause: new Error(answer.detail),
        ...(answer.errors ? { errors: answer.errors } : {}),
        ...(answer.place ? { place: answer.place } : {}),
      });
    }
    return answer;
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
        [...all].map(async ({ process }) => {
          const gone = new Promise((resolve) => process.once('exit', resolve));
          process.kill('SIGKILL');
          await gone;
        }),
      );
    },
  };
}

function startChild(args: readonly string[], entry: URL): RenderChild {
  const child = fork(entry, args, {
    // No secret of the service's environment reaches the process that decodes what strangers send.
    env: { NODE_ENV: 'production' },
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const ready = new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('exit', (code, signal) => reject(crashed(code, signal)));
    // Also for a task that could not be sent to a child that is just dying; its exit says the rest.
    child.on('error', reject);
  });
  // Whoever waits for it hears of it; that nobody waits yet is no reason to end the service.
  ready.catch(() => undefined);
  const started: RenderChild = { process: child, ready, tasks: 0 };
  if (child.stderr) {
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (started.control?.onComplaint) started.control.onComplaint(line);
      else process.stderr.write(`${line}\n`);
    });
  }
  return started;
}

async function runTask(child: RenderChild, task: RenderTask, control: RenderControl): Promise<RenderAnswer> {
  const { process } = child;
  let reason: unknown;
  const kill = (why: unknown): void => {
    reason ??= why;
    process.kill('SIGKILL');
  };
  const onAbort = (): void => kill(control.signal.reason);
  const { timeoutMs } = control;
  const onDeadline = (): void =>
    kill(new PreviewError('render_timeout', `The render took longer than ${Number(timeoutMs) / 1000} s.`));
  const deadline = timeoutMs === undefined ? undefined : setTimeout(onDeadline, timeoutMs);
  let onExit: ((code: number | null, signal: NodeJS.Signals | null) => void) | undefined;
  const gone = new Promise<never>((_, reject) => {
    onExit = (code, signal) => reject(crashed(code, signal));
    process.once('exit', onExit);
  });
  gone.catch(() => undefined);
  let onMessage: ((message: RenderAnswer) => void) | undefined;
  child.control = control;
  try {
    control.signal.addEventListener('abort', onAbort);
    await Promise.race([child.ready, gone]);
    const done = new Promise<RenderAnswer>((resolve) => {
      onMessage = (message) => {
        if (message.type === 'progress') control.onProgress(message.progress);
        else if (message.type === 'part') control.onPart?.(message.part);
        else if (message.type !== 'store') resolve(message);
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
    control.signal.removeEventListener('abort', onAbort);
    if (onMessage) process.off('message', onMessage);
    if (onExit) process.off('exit', onExit);
  }
}

function crashed(code: number | null, signal: string | null): PreviewError {
  const cause = new Error(`the render child ended with ${signal ? `signal ${signal}` : `exit code ${code}`}`);
  return new PreviewError('render_crashed', undefined, { cause });
}
