import type { Job } from 'bullmq';
import { describedBy } from '../../job/describedBy.ts';
import type { JobRecord } from '../../job/jobRecord.ts';
import type { PreviewJob } from '../../job/previewJob.types.ts';
import { fingerprintOf, type QueuedJob } from '../../queue/queuedJob.ts';
import type { Outcome } from '../attempt/renderJob.ts';
import { webhookOf } from '../webhooks/webhookMessage.ts';
import type { JobStatus } from './jobStatus.ts';

/** The record of a job that an attempt has completed. */
export function completedRecord(
  { projectId, jobId, requestId, dryRun }: PreviewJob,
  queued: QueuedJob,
  attempt: Pick<JobRecord, 'startedAt' | 'attemptsMade'>,
  outcome: Outcome,
): JobRecord {
  return {
    projectId,
    jobId,
    requestId,
    fingerprint: fingerprintOf(queued),
    ...describedBy(queued.job),
    dryRun,
    createdAt: queued.acceptedAt,
    ...attempt,
    finishedAt: new Date().toISOString(),
    status: 'completed',
    ...webhookOf(queued),
    ...outcome,
  };
}

/** The record of a job that is ended before its time. */
export function cancelledRecord(
  known: JobStatus,
  { data }: Job<QueuedJob>,
  error: JobRecord['error'],
): JobRecord {
  return {
    projectId: known.projectId,
    jobId: known.jobId,
    requestId: known.requestId,
    fingerprint: fingerprintOf(data),
    status: 'cancelled',
    ...describedBy(data.job),
    dryRun: data.job.dryRun,
    createdAt: known.createdAt,
    ...(known.startedAt ? { startedAt: known.startedAt } : {}),
    finishedAt: new Date().toISOString(),
    attemptsMade: known.attemptsMade,
    ...(error ? { error } : {}),
    warnings: [],
    artifacts: [],
    ...webhookOf(data),
  };
}
