import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { sleep } from './random.ts';

/** One line of a process's log that is about a job. */
export interface JobLine {
  /** Milliseconds since the epoch. */
  at: number;
  message: string;
  jobId: string;
}

/** A place in the fleet; whoever dies in it is replaced. */
export interface Member {
  name: string;
  role: 'api' | 'worker' | 'serve' | 'redis';
  pid(): number | undefined;
  /** Jobs that its log says are running in it. */
  running: Set<string>;
}

export interface Fleet {
  members: Member[];
  /** Starts a member; it is started again half a second after it ended, until the fleet stops. */
  add(name: string, role: Member['role'], command: string[], env: NodeJS.ProcessEnv): Member;
  onLine(listener: (line: JobLine) => void): void;
  stop(): Promise<void>;
}

const RESTART_MS = 500;

/** What a worker's log says when a job no longer runs in it. */
const ENDS = [
  'job completed',
  'job failed',
  'job cancelled',
  'job given back to the queue',
  'attempt failed, the job will be retried',
  'the lock was lost, the attempt was stopped',
  'another attempt had ended the job',
];

/** Real processes that are ended by their pid. */
export function createFleet(): Fleet {
  const members: Member[] = [];
  const alive = new Set<ChildProcess>();
  const listeners: ((line: JobLine) => void)[] = [];
  let stopping = false;

  const start = (member: Member, [command = '', ...args]: string[], env: NodeJS.ProcessEnv): ChildProcess => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    alive.add(child);
    member.running.clear();
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = parseLine(text);
      if (!line) return;
      if (line.message === 'job started') member.running.add(line.jobId);
      if (ENDS.includes(line.message)) member.running.delete(line.jobId);
      for (const listener of listeners) listener(line);
    });
    return child;
  };

  return {
    members,
    add(name, role, command, env) {
      let child: ChildProcess | undefined;
      const member: Member = { name, role, running: new Set(), pid: () => child?.pid };
      const run = (): void => {
        const mine = start(member, command, env);
        child = mine;
        mine.once('exit', async () => {
          alive.delete(mine);
          child = undefined;
          await sleep(RESTART_MS);
          if (!stopping) run();
        });
      };
      run();
      members.push(member);
      return member;
    },
    onLine: (listener) => void listeners.push(listener),
    async stop() {
      stopping = true;
      // They would end with their parents, but only within a second.
      for (const { pid } of members) for (const child of childrenOf(pid() ?? 0)) signal(child, 'SIGKILL');
      await Promise.all(
        [...alive].map(
          (child) =>
            new Promise((resolve) => {
              child.once('exit', resolve);
              child.kill('SIGKILL');
            }),
        ),
      );
    },
  };
}

function parseLine(text: string): JobLine | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const { time, msg, jobId } = JSON.parse(text);
    return typeof jobId === 'string' ? { at: Date.parse(time), message: msg, jobId } : undefined;
  } catch {
    return undefined;
  }
}

/** The pids of a process's children (proc(5)). */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
}

/** True where the signal reached the process. */
export function signal(pid: number | undefined, name: NodeJS.Signals): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
