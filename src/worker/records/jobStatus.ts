import type { Job } from 'bullmq';
import { describedBy } from '../../job/describedBy.ts';
import type { JobRecord, PlanSummary, Priority, Progress, Warning } from '../../job/jobRecord.ts';
import type { QueuedJob } from '../../queue/queuedJob.ts';
import { errorOfReason } from '../deadLetters/deadLetter.ts';

export type JobState = 'queued' | 'rendering' | 'retrying' | 'completed' | 'failed' | 'cancelled';

/** What a sender may know of its job. Times are RFC 3339, UTC. */
export interface JobStatus {
  jobId: string;
  projectId: string;
  requestId: string;
  title?: string;
  priority: Priority;
  status: JobState;
  progress: Progress;
  attemptsMade: number;
  createdAt: string;
  startedAt?: string;
  finishedAt?: string;
  error?: JobRecord['error'];
  warnings?: Warning[];
  plan?: PlanSummary;
}

/** A job that has ended. */
export function fromRecord(record: JobRecord): JobStatus {
  const { fingerprint, dryRun, artifacts, timings, webhook, details, ...known } = record;
  return {
    priority: 'normal',
    ...known,
    progress: { percent: record.status === 'completed' ? 100 : 0, stage: 'done' },
  };
}

/** A job that was accepted a moment ago. */
export function newStatus({ job, acceptedAt }: QueuedJob): JobStatus {
  return {
    jobId: job.jobId,
    projectId: job.projectId,
    requestId: job.requestId,
    ...describedBy(job),
    priority: job.priority ?? 'normal',
    status: 'queued',
    progress: { percent: 0, stage: 'queued' },
    attemptsMade: 0,
    createdAt: acceptedAt,
  };
}

/** A job that waits or runs; `state` is BullMQ's. */
export function fromQueue(job: Job<QueuedJob>, state: string): JobStatus {
  const waiting = job.attemptsMade > 0 ? 'retrying' : 'queued';
  const active = state === 'active';
  return {
    ...newStatus(job.data),
    status: active ? 'rendering' : waiting,
    ...(active && isProgress(job.progress) ? { progress: job.progress } : {}),
    attemptsMade: job.attemptsMade,
    ...(job.processedOn ? { startedAt: new Date(job.processedOn).toISOString() } : {}),
  };
}

/** A job that the queue gave up and that has no record yet: nobody was left to write it. */
export function fromFailed(job: Job<QueuedJob>): JobStatus {
  return {
    ...newStatus(job.data),
    status: 'failed',
    progress: { percent: 0, stage: 'done' },
    attemptsMade: job.attemptsMade,
    error: errorOfReason(job.failedReason),
    ...(job.finishedOn ? { finishedAt: new Date(job.finishedOn).toISOString() } : {}),
  };
}

const isProgress = (value: unknown): value is Progress =>
  typeof value === 'object' && value !== null && 'percent' in value && 'stage' in value;
