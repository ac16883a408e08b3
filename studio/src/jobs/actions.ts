import { call, wordsOf } from '../api/call.ts';
import type { JobStatus, ListedJob } from '../api/types.ts';
import { tell } from '../ui/announce.tsx';
import { confirmed } from '../ui/confirm.tsx';

type Ref = Pick<ListedJob, 'jobId' | 'projectId'>;

export const deadLetterUrl = ({ jobId, projectId }: Ref, action = ''): string =>
  `/api/preview/dead-letter/${encodeURIComponent(jobId)}${action}?projectId=${encodeURIComponent(projectId)}`;

export const pageOf = ({ jobId, projectId }: Ref): string =>
  `/jobs/${encodeURIComponent(jobId)}?projectId=${encodeURIComponent(projectId)}`;

/** Does something and announces the result. @returns whether it succeeded */
async function attempt(work: () => Promise<unknown>, done: string): Promise<boolean> {
  try {
    await work();
    tell(done);
    return true;
  } catch (error) {
    tell(wordsOf(error));
    return false;
  }
}

export const cancelJob = ({ links }: Pick<ListedJob, 'links'>): Promise<boolean> =>
  attempt(() => call<JobStatus>(links.cancel, { method: 'DELETE' }), 'The job is cancelled.');

export const replayJob = (job: Ref): Promise<boolean> =>
  attempt(() => call(deadLetterUrl(job, '/replay'), { method: 'POST' }), 'The job is in the queue again.');

/** Discards a dead letter, after asking. */
export async function discardJob(job: Ref): Promise<boolean> {
  const sure = await confirmed({
    title: 'Discard this dead letter?',
    words: `You can then no longer replay job ${job.jobId}. Its record still says that it failed.`,
    action: 'Discard',
  });
  return (
    sure && attempt(() => call(deadLetterUrl(job), { method: 'DELETE' }), 'The dead letter is discarded.')
  );
}
