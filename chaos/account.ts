import { ask, checkArtifacts, type Load } from './load.ts';
import { sleep } from './random.ts';
import type { Trouble } from './trouble.ts';

/** How every job ended. */
export interface Account {
  completed: number;
  /** The error of each dead letter. */
  dead: string[];
  /** Accepted, and neither completed nor in the dead letters when the time was over. */
  lost: string[];
  twice: string[];
  /** When a worker began an attempt; milliseconds since the epoch. */
  started: { jobId: string; at: number }[];
  /** Jobs that ran in a process when it was killed and were taken up again. */
  recoveries: number;
  /** Seconds. */
  p50: number;
  p95: number;
  max: number;
}

/** Waits until each accepted job has ended, and looks at how. */
export async function reconcile(run: {
  load: Load;
  urls: readonly string[];
  trouble: Trouble;
  started: Account['started'];
  /** How often workers said that they completed a job. */
  completions: ReadonlyMap<string, number>;
  deadline: number;
}): Promise<Account> {
  const { load, urls, trouble, started, completions, deadline } = run;
  const dead = new Map<string, string>();
  const open = new Set(load.accepted);
  const completed = new Set<string>();
  while (open.size > 0 && Date.now() < deadline) {
    for (const jobId of open) {
      await checkArtifacts(load, urls, jobId);
      if (load.checked.has(jobId)) completed.add(jobId);
      const letter = load.checked.has(jobId)
        ? undefined
        : await ask(urls, `/api/preview/dead-letter/${jobId}`);
      if (letter?.status === 200) dead.set(jobId, (letter.body.error as { code: string }).code);
      if (completed.has(jobId) || dead.has(jobId)) open.delete(jobId);
    }
    await sleep(500);
  }
  const seconds = recoverySeconds(trouble.orphaned, started);
  return {
    completed: completed.size,
    dead: [...dead.values()],
    lost: [...open].map((jobId) => `${jobId} was accepted and has not ended`),
    twice: [...completions]
      .filter(([jobId, times]) => times > 1 || dead.has(jobId))
      .map(
        ([jobId, times]) => `${jobId} was completed ${times} times${dead.has(jobId) ? ' and is dead' : ''}`,
      ),
    started,
    recoveries: seconds.length,
    p50: percentile(seconds, 0.5),
    p95: percentile(seconds, 0.95),
    max: percentile(seconds, 1),
  };
}

/** From each kill to the next attempt at a job that ran in the process; a job that had just ended has none. */
function recoverySeconds(orphaned: Trouble['orphaned'], started: Account['started']): number[] {
  return orphaned
    .map(({ jobId, at }) => {
      const next = started.filter((start) => start.jobId === jobId && start.at > at).map((start) => start.at);
      return next.length === 0 ? undefined : (Math.min(...next) - at) / 1000;
    })
    .filter((seconds) => seconds !== undefined)
    .sort((a, b) => a - b);
}

function percentile(sorted: readonly number[], share: number): number {
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return Math.round(value * 10) / 10;
}
