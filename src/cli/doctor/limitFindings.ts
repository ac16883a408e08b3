import { readFile } from 'node:fs/promises';
import { availableParallelism, freemem, totalmem } from 'node:os';
import type { Config } from '../../config.ts';
import { formatBytes } from '../display.ts';
import { type Finding, findingsOf } from './finding.ts';

const { ok, warn, fail } = findingsOf('limits');

/** What this process may use, limited by the machine, its control group or its user. */
export interface Limits {
  cores: number;
  /** Bytes of memory in all, and now. */
  memory: number;
  freeMemory: number;
  /** File descriptors of a process; undefined where the system does not say. */
  openFiles: number | undefined;
}

/** Every API call and every open file takes a descriptor. */
const [FEW_FILES, TOO_FEW_FILES] = [4096, 512];
/** Measured in docs/performance.md: 60 steps of photographs at 1920x1080, all processes of one worker. */
const BYTES_OF_A_JOB = 600 * 1024 * 1024;

export async function readLimits(): Promise<Limits> {
  const constrained = process.constrainedMemory();
  // Without a limit, some kernels report a number larger than the memory.
  const memory = constrained > 0 && constrained < totalmem() ? constrained : totalmem();
  return {
    cores: Math.min(availableParallelism(), await coresOfControlGroup()),
    memory,
    freeMemory: Math.min(freemem(), memory),
    openFiles: await readOpenFiles(),
  };
}

export function findLimits({ concurrency }: Config, limits: Limits): Finding[] {
  return [findCores(limits, concurrency), findMemory(limits, concurrency), ...findOpenFiles(limits)];
}

function findCores({ cores }: Limits, concurrency: number): Finding {
  const message = `${plural(cores, 'core')} for ${plural(concurrency, 'job')} at a time (PREVIEW_WORKER_CONCURRENCY).`;
  if (concurrency <= cores) return ok(message);
  return warn(
    message,
    `Set PREVIEW_WORKER_CONCURRENCY to ${Math.max(1, Math.floor(cores))}: with more at a time, every job takes longer.`,
  );
}

function findMemory({ memory, freeMemory }: Limits, concurrency: number): Finding {
  const needed = concurrency * BYTES_OF_A_JOB;
  const message = `${formatBytes(memory)} of memory, ${formatBytes(freeMemory)} of it free; ${plural(concurrency, 'large job')} may take ${formatBytes(needed)}.`;
  if (memory < needed)
    return warn(
      message,
      'Lower PREVIEW_WORKER_CONCURRENCY or add memory. A render that is killed for lack of memory is tried again, and finally becomes a dead letter.',
    );
  return ok(message);
}

function findOpenFiles({ openFiles }: Limits): Finding[] {
  if (openFiles === undefined) return [];
  const message = `A process may open ${openFiles} files.`;
  const advice = 'Raise the limit: `ulimit -n 65536` before the start, or LimitNOFILE= in a systemd unit.';
  if (openFiles < TOO_FEW_FILES) return [fail(message, advice)];
  return [openFiles < FEW_FILES ? warn(message, advice) : ok(message)];
}

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

/** Node.js raises the soft limit to the hard one when it starts. */
async function readOpenFiles(): Promise<number | undefined> {
  const text = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(text)?.[1];
  if (soft === undefined) return undefined;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}

/** What a container may use of the machine's cores (cgroup v2: quota and period in microseconds). */
async function coresOfControlGroup(): Promise<number> {
  const text = await readFile('/sys/fs/cgroup/cpu.max', 'utf8').catch(() => 'max');
  const [quota, period] = text.trim().split(' ').map(Number);
  return quota && period ? quota / period : Number.POSITIVE_INFINITY;
}
