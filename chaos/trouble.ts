import { type FileHandle, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { childrenOf, type Fleet, type Member, signal } from './fleet.ts';
import { pick, sleep } from './random.ts';

/** What was done to the fleet. */
export interface Trouble {
  counts: Record<string, number>;
  /** Jobs that ran in a process when it was killed, and when that was; milliseconds since the epoch. */
  orphaned: { jobId: string; at: number }[];
}

type Act = (fleet: Fleet, trouble: Trouble, random: () => number) => Promise<string | undefined>;

/** Past the lock of 10 s. */
const FROZEN_MS = 13_000;
const FULL_MS = 3000;
const SLOW_MS = 5000;

const killOne =
  (role: Member['role']): Act =>
  async (fleet, trouble, random) => {
    const present = fleet.members.filter((member) => member.role === role && member.pid() !== undefined);
    // Where jobs run, it hurts more.
    const busy = present.filter((member) => member.running.size > 0);
    const one = pick(busy.length > 0 ? busy : present, random);
    if (!one) return undefined;
    const running = [...one.running];
    const at = Date.now();
    if (!signal(one.pid(), 'SIGKILL')) return undefined;
    trouble.orphaned.push(...running.map((jobId) => ({ jobId, at })));
    return `kill ${role}`;
  };

const killRenderChild: Act = async (fleet, _trouble, random) => {
  const workers = fleet.members.filter(({ role }) => role === 'worker' || role === 'serve');
  const busy = workers.filter(({ running }) => running.size > 0);
  const children = (busy.length > 0 ? busy : workers).flatMap((worker) => childrenOf(worker.pid() ?? 0));
  return signal(pick(children, random), 'SIGKILL') ? 'kill render child' : undefined;
};

/** Stops a worker for longer than its lock lasts; its render children go on. */
const freezeWorker: Act = async (fleet, _trouble, random) => {
  const one = pick(
    fleet.members.filter(({ role }) => role === 'worker'),
    random,
  );
  const pid = one?.pid();
  if (!signal(pid, 'SIGSTOP')) return undefined;
  void sleep(FROZEN_MS).then(() => signal(pid, 'SIGCONT'));
  return 'freeze worker';
};

/** Writes until the disk of the store is full, and takes it away again after a while. */
const fillDisk =
  (folder: string): Act =>
  async () => {
    const path = join(folder, 'filler');
    const file = await open(path, 'w');
    await writeUntilFull(file);
    await file.close();
    void sleep(FULL_MS).then(() => rm(path, { force: true }));
    return 'fill disk';
  };

/** See slowDisk.mjs. */
const slowDisk =
  (flag: string): Act =>
  async () => {
    await writeFile(flag, '');
    void sleep(SLOW_MS).then(() => rm(flag, { force: true }));
    return 'slow disk';
  };

async function writeUntilFull(file: FileHandle): Promise<void> {
  for (const size of [1 << 24, 1 << 16, 1 << 12]) {
    try {
      for (;;) await file.write(Buffer.alloc(size));
    } catch {
      // Full for pieces of that size; smaller ones may fit.
    }
  }
}

/** What may happen, and how often in relation to the others. Kills come by far the most. */
export function actsFor(options: {
  embedded: boolean;
  smallDisk: string | undefined;
  slowFlag: string;
}): { weight: number; act: Act }[] {
  const full = options.smallDisk === undefined ? [] : [{ weight: 3, act: fillDisk(options.smallDisk) }];
  const disk = [{ weight: 4, act: slowDisk(options.slowFlag) }, ...full];
  if (options.embedded) {
    return [{ weight: 50, act: killOne('serve') }, { weight: 20, act: killRenderChild }, ...disk];
  }
  return [
    { weight: 45, act: killOne('worker') },
    { weight: 30, act: killRenderChild },
    { weight: 10, act: killOne('api') },
    { weight: 8, act: killOne('redis') },
    { weight: 6, act: freezeWorker },
    ...disk,
  ];
}

export function chooseAct(acts: readonly { weight: number; act: Act }[], random: () => number): Act {
  let at = random() * acts.reduce((sum, { weight }) => sum + weight, 0);
  for (const { weight, act } of acts) {
    at -= weight;
    if (at < 0) return act;
  }
  throw new Error('there is nothing to choose from');
}
