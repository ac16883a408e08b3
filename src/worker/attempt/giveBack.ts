import { DelayedError, type Job, WaitingError } from 'bullmq';
import type { PreviewError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { Intake } from './intake.ts';

/** Gives jobs back to the queue without an attempt being spent; the next one goes on from the parts in the store. */
export interface GiveBack {
  /**
   * For how many milliseconds a job is put off that failed because store or queue could not be used. That is so for whatever
   * fails while one of them cannot be. Undefined where the failure is the job's own.
   */
  putOff(job: Job, error: PreviewError): Promise<number | undefined>;
  /** Ends the attempt. A queue that cannot take the job back now finds it stalled when its lock has run out. */
  giveBack(job: Job, token: string, putOffMs: number): Promise<never>;
}

/**
 * How often a job is given back that could not use store or queue although both can be used. After that the trouble comes with
 * the job, as with a preview that is larger than the disk, and its attempts are counted.
 */
const MOST_GIVEN_BACK = 20;
/** The first time it is put off for so long, then twice as long each time: about eight minutes in all. */
const PUT_OFF_MS = 1000;
const MOST_PUT_OFF_MS = 30_000;

export function createGiveBack({
  intake,
  logger,
}: {
  intake: Pick<Intake, 'look'>;
  logger: Logger;
}): GiveBack {
  return {
    async putOff({ attemptsStarted, attemptsMade }, { code }) {
      // Nothing is taken now, so the job keeps its place.
      if (await intake.look()) return 0;
      const before = attemptsStarted - attemptsMade - 1;
      const isUnusable = code === 'store_unavailable' || code === 'queue_unavailable';
      if (!isUnusable || before >= MOST_GIVEN_BACK) return undefined;
      return Math.min(MOST_PUT_OFF_MS, PUT_OFF_MS * 2 ** before);
    },
    async giveBack(job, token, putOffMs) {
      const back = putOffMs > 0 ? job.moveToDelayed(Date.now() + putOffMs, token) : job.moveToWait(token);
      await back.catch((err: unknown) =>
        logger.warn({ err, jobId: job.id }, 'the job could not be given back, its lock runs out'),
      );
      throw putOffMs > 0 ? new DelayedError() : new WaitingError();
    },
  };
}
