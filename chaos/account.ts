import { ask, checkArtifacts, endEvent, type Load } from './load.ts';
import { sleep } from './random.ts';
import type { Receiver } from './receiver.ts';
import type { Trouble } from './trouble.ts';

/** How every job ended. */
export interface Account {
  completed: number;
  /** The error of each dead letter. */
  dead: string[];
  /** Accepted, and neither completed nor in the dead letters when the time was over. */
  lost: string[];
  twice: string[];
  /** Jobs whose end was told by webhook, and by their events. */
  told: number;
  heard: number;
  /** Messages that came again with the id of the first, as those of a killed sender do. */
  again: number;
  /** Ended, and not told of, or told of otherwise than they ended. */
  untold: string[];
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
  receiver: Receiver;
  deadline: number;
}): Promise<Account> {
  const { load, urls, trouble, started, completions, receiver, deadline } = run;
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
  const ends = new Map<string, string>([
    ...[...completed].map((jobId) => [jobId, 'completed'] as const),
    ...[...dead.keys()].map((jobId) => [jobId, 'failed'] as const),
  ]);
  const events = await hearEnds(urls, ends, deadline);
  await until(() => [...ends.keys()].every((jobId) => receiver.told.has(jobId)), deadline);
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
    told: [...ends.keys()].filter((jobId) => receiver.told.has(jobId)).length,
    heard: events.size,
    again: [...receiver.told.values()].reduce((sum, { times, ids }) => sum + times - ids.size, 0),
    untold: [...whatIsUntold(ends, events, receiver)],
    started,
    recoveries: seconds.length,
    p50: percentile(seconds, 0.5),
    p95: percentile(seconds, 0.95),
    max: percentile(seconds, 1),
  };
}

/** What the events of each job say of its end. */
async function hearEnds(
  urls: readonly string[],
  ends: ReadonlyMap<string, string>,
  deadline: number,
): Promise<Map<string, string>> {
  const heard = new Map<string, string>();
  while (heard.size < ends.size && Date.now() < deadline) {
    for (const jobId of ends.keys()) {
      const end = heard.get(jobId) ?? (await endEvent(urls, jobId));
      if (end !== undefined) heard.set(jobId, end);
    }
  }
  return heard;
}

function* whatIsUntold(
  ends: ReadonlyMap<string, string>,
  events: ReadonlyMap<string, string>,
  { told, unsigned }: Receiver,
): Generator<string> {
  for (const [jobId, end] of ends) {
    const { ids = new Set(), types = new Set() } = told.get(jobId) ?? {};
    if (ids.size !== 1) yield `the end of ${jobId} was told by webhook with ${ids.size} ids`;
    else if (![...types].every((type) => type === `preview.${end}`))
      yield `${jobId} is ${end}, and its webhook said ${[...types].join(', ')}`;
    if (events.get(jobId) !== end) yield `${jobId} is ${end}, and its events say ${events.get(jobId)}`;
  }
  for (const body of unsigned) yield `a webhook was not signed: ${body}`;
}

async function until(isDone: () => boolean, deadline: number): Promise<void> {
  while (!isDone() && Date.now() < deadline) await sleep(200);
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
