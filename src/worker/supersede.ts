import type { JobRecord } from '../job/jobRecord.ts';
import type { PreviewJob } from '../job/previewJob.types.ts';
import type { QueuedJob } from '../queue/queuedJob.ts';

/*
 * A job with the key `supersedes` takes the place of the older unfinished jobs of its project with the same key.
 *
 * Which of two jobs is the newer one must not depend on who looks. So each gets a turn when it is sent: the time, but
 * always greater than the turns of those that were there already, whatever the clocks of other machines say. Every
 * sender first adds its job and then looks at all of the key, and cancels all but the newest, its own if need be. Of two
 * that were sent at the same moment at least the one that was added later sees both.
 */

/** The turn of a job that is sent now, where `earlier` have the same key. */
export function nextTurn(earlier: readonly QueuedJob[], now: number): number {
  return Math.max(now, ...earlier.map(({ turn = 0 }) => turn + 1));
}

/** The job with its turn among those of its key; one without a key as it is. */
export function withTurn(data: QueuedJob, rivals: readonly { data: QueuedJob }[]): QueuedJob {
  if (data.job.supersedes === undefined) return data;
  const earlier = rivals.map((rival) => rival.data);
  return { ...data, turn: nextTurn(earlier, Date.now()) };
}

/** Why a job is ended that another one has taken the place of. */
export const supersededBy = ({ supersedes }: PreviewJob): JobRecord['error'] => ({
  code: 'superseded',
  message: `A newer job with the key "${supersedes}" took its place.`,
});

/** All but the newest. Equal turns are told apart by what is random in both, the same way by everyone. */
export function superseded<Candidate extends { data: QueuedJob }>(
  candidates: readonly Candidate[],
): Candidate[] {
  return [...candidates].sort((a, b) => compareAge(a.data, b.data)).slice(0, -1);
}

function compareAge(a: QueuedJob, b: QueuedJob): number {
  const turns = (a.turn ?? 0) - (b.turn ?? 0);
  return turns === 0 ? a.submission.localeCompare(b.submission) : turns;
}

/** Whether a job in the queue has the key of `job`. */
export function hasKeyOf({ projectId, supersedes }: PreviewJob) {
  return ({ data }: { data: QueuedJob }): boolean =>
    // What something else put into the queue need not have a job.
    data.job?.projectId === projectId && data.job.supersedes === supersedes;
}
