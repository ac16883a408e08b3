import { fingerprint } from '../job/fingerprint.ts';
import type { PreviewJob } from '../job/previewJob.types.ts';

/** What lies in the queue. */
export interface QueuedJob {
  job: PreviewJob;
  /** Tells the sender whether the job in the queue is the one it just sent. */
  submission: string;
  /** RFC 3339, UTC. */
  acceptedAt: string;
  /** The trace in which it was sent (W3C Trace Context). */
  traceparent?: string;
  /** Of a job that supersedes others: the greater is the newer, see supersede.ts. */
  turn?: number;
}

/**
 * The fingerprint of what lies in the queue. It is made where it is asked for, at the end of a job and where one is sent
 * again, since it takes a twentieth of what sending a job takes. What something else put into the queue need not have a job.
 */
export const fingerprintOf = ({ job }: Partial<QueuedJob>): string => (job ? fingerprint(job) : '');

/** `~` is in no id and is allowed by BullMQ, which forbids `:` and ids of digits alone. */
export function queueId({ projectId, jobId }: { projectId: string; jobId: string }): string {
  return `${projectId}~${jobId}`;
}

/** The other way round; undefined for an id that {@link queueId} did not make. */
export function parseQueueId(id: string): { projectId: string; jobId: string } | undefined {
  const [projectId, jobId, ...rest] = id.split('~');
  return projectId && jobId && rest.length === 0 ? { projectId, jobId } : undefined;
}

/** The queue of the jobs that failed for good; see deadLetters.ts. */
export const deadQueueName = (queueName: string): string => `${queueName}-dead`;

/** The queue of the messages that tell of a job's end; see webhooks.ts. */
export const webhookQueueName = (queueName: string): string => `${queueName}-webhooks`;

const PRIORITIES = { high: 1, normal: 2, low: 3 } as const;

/** The pause after the first attempt; each further one is twice as long. */
const FIRST_PAUSE_MS = 1000;

/** How BullMQ treats a job: five attempts, 1, 2, 4 and 8 s apart; what has ended is forgotten after a while. */
export function queueOptions(job: PreviewJob, firstPauseMs = FIRST_PAUSE_MS) {
  return {
    jobId: queueId(job),
    attempts: 5,
    backoff: { type: 'exponential', delay: firstPauseMs },
    removeOnComplete: { age: 3600, count: 100 },
    removeOnFail: { age: 86_400, count: 100 },
    priority: PRIORITIES[job.priority ?? 'normal'],
  };
}
