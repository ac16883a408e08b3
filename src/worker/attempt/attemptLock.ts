import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from 'bullmq';

/**
 * The lock is renewed by the worker's process, which never decodes. When that dies, what is left of the lock runs out,
 * and the job is taken up at the second check after that: in 5 to 12 s. A check is one small script, whoever of the
 * workers runs it; at 5 s between checks `npm run chaos` saw 16 s.
 */
export const LOCK_MS = 10_000;
export const STALLED_CHECK_MS = 1_000;

/** While a lock is younger than that it is ours without asking; what is left of it is for writing the outcome. */
const SURE_MS = LOCK_MS / 2;

/** The reason of an abort where another worker may have the job by now: nothing of this attempt may count. */
export class LockLost extends Error {}

/** An attempt's hold on its job. */
export interface Hold {
  /** Aborted when the attempt has to stop; its reason says why. */
  signal: AbortSignal;
  /** Stops the attempt; the first reason stands. */
  abort(reason: Error): void;
  /** True where the queue has not said for the length of a lock that the job is ours. */
  isExpired(): boolean;
  /**
   * To be called before an attempt's outcome is written: where the lock is not so young that it cannot have run out,
   * the queue looks whether it still has this attempt's token, and renews it. While it is out of reach, nobody can say, so this waits for the answer, or until the lock is
   * known to be lost.
   * @throws LockLost
   */
  confirm(): Promise<void>;
  end(): void;
}

/** How long to wait where the queue refuses to say whose a lock is: it is out of memory, or another one takes its place. */
const ASK_AGAIN_MS = 250;

/** Renews the lock. @returns 1 where it was ours; a queue that cannot say is asked again, until `isLost` */
async function askUntilAnswered(job: Job, token: string, isLost: () => boolean): Promise<number> {
  for (;;) {
    try {
      return Number(await job.extendLock(token, LOCK_MS));
    } catch (error) {
      if (isLost()) throw error;
      await sleep(ASK_AGAIN_MS);
    }
  }
}

/** The holds of the attempts that run in this process. */
export interface Holds {
  begin(job: Job, token: string): Hold;
  count(): number;
  /** What the queue said of the locks of these jobs. */
  renewed(jobIds: readonly string[]): void;
  lost(jobIds: readonly string[]): void;
  abortAll(reason: Error): void;
}

/** @param onCount is told how many there are, whenever that changes */
export function createHolds(onCount: (count: number) => void): Holds {
  // A job may be here twice: an attempt that lost it may not have stopped yet when the next one begins.
  const all = new Set<Hold & { jobId: string; renew(): void }>();
  const of = (jobIds: readonly string[]) => [...all].filter(({ jobId }) => jobIds.includes(jobId));

  return {
    begin(job, token) {
      const control = new AbortController();
      let lost: LockLost | undefined;
      let onLost = (_: LockLost): void => undefined;
      // Redis took the lock after BullMQ wrote down when it asked for it, so it cannot have run out before that is this old.
      let lockedAt = performance.now() - Math.max(0, Date.now() - (job.processedOn ?? 0));
      const hold = {
        jobId: String(job.id),
        signal: control.signal,
        abort(reason: Error): void {
          if (reason instanceof LockLost) {
            lost ??= reason;
            onLost(lost);
          }
          control.abort(reason);
        },
        isExpired: () => performance.now() - lockedAt > LOCK_MS,
        renew(): void {
          lockedAt = performance.now();
        },
        async confirm(): Promise<void> {
          if (lost) throw lost;
          if (performance.now() - lockedAt < SURE_MS) return;
          const held = await new Promise<number>((resolve, reject) => {
            onLost = reject;
            askUntilAnswered(job, token, () => lost !== undefined).then(resolve, reject);
          });
          if (held !== 1) throw new LockLost('another attempt has the lock');
        },
        end(): void {
          all.delete(hold);
          onCount(all.size);
        },
      };
      all.add(hold);
      onCount(all.size);
      return hold;
    },
    count: () => all.size,
    renewed(jobIds) {
      for (const hold of of(jobIds)) hold.renew();
    },
    lost(jobIds) {
      for (const hold of of(jobIds)) hold.abort(new LockLost('another worker may have the job'));
    },
    abortAll(reason) {
      for (const hold of all) hold.abort(reason);
    },
  };
}
