import type { Job } from 'bullmq';
import { catalogue, type ErrorCode, type FailurePlace } from '../../errors.ts';
import { describedBy } from '../../job/describedBy.ts';
import type { JobRecord } from '../../job/jobRecord.ts';
import type { PreviewJob } from '../../job/previewJob.types.ts';
import { fingerprintOf, parseQueueId, type QueuedJob } from '../../queue/queuedJob.ts';
import type { AttemptEntry } from '../records/attemptHistory.ts';
import { webhookOf } from '../webhooks/webhookMessage.ts';

/** A job that failed for good, with everything that is needed to understand it and to run it again. */
export interface DeadLetter extends DeadLetterSummary {
  attempts: AttemptEntry[];
  /** The job as it was sent; what something else put into the queue may be anything. */
  job: unknown;
}

export interface DeadLetterSummary {
  projectId: string;
  jobId: string;
  requestId: string;
  error: { code: ErrorCode; message: string };
  /** Where the last attempt was when it failed. */
  place?: FailurePlace;
  attemptsMade: number;
  /** RFC 3339, UTC. */
  acceptedAt: string;
  failedAt: string;
}

/** What lies in the queue of the dead letters. */
export interface StoredLetter {
  /** How the job ended; written to the store after the letter, and again where that was cut off. */
  record: JobRecord;
  place?: FailurePlace;
  attempts: AttemptEntry[];
  job: unknown;
}

/** Why a job failed for good. */
export interface Failure {
  error: { code: ErrorCode; message: string };
  place?: FailurePlace | undefined;
  startedAt?: string | undefined;
  attemptsMade: number;
}

/** What goes into the queue as the reason of a job that must not be tried again. */
export function failedReason({ code, message }: { code: ErrorCode; message: string }): string {
  return `${code}: ${message}`;
}

/** The other way round; where the queue itself gave the job up, its workers died too often. */
export function errorOfReason(reason: string | undefined): { code: ErrorCode; message: string } {
  const [, code = '', message = ''] = /^([a-z_]+): (.*)$/s.exec(reason ?? '') ?? [];
  if (code in catalogue) return { code: code as ErrorCode, message };
  return { code: 'stalled', message: 'The workers that rendered this job died too often.' };
}

/** The place with the first step that shows or plays the asset, where no step is named. */
export function withStep(place: FailurePlace, { previewRequest }: PreviewJob): FailurePlace {
  const { asset } = place;
  if (asset === undefined || place.step !== undefined) return place;
  const step = previewRequest.steps.findIndex((each) => each.asset === asset || each.narration === asset);
  return step < 0 ? place : { ...place, step };
}

/** The record of a job that failed for good. */
export function failedRecord({ id, data, timestamp }: Job<QueuedJob>, failure: Failure): JobRecord {
  const { projectId = '', jobId = '' } = parseQueueId(String(id)) ?? {};
  const { error, attemptsMade, startedAt } = failure;
  return {
    projectId,
    jobId,
    // What something else put into the queue need not have any of these.
    requestId: data.job?.requestId ?? jobId,
    fingerprint: fingerprintOf(data),
    ...describedBy(data.job),
    status: 'failed',
    error,
    dryRun: data.job?.dryRun ?? false,
    createdAt: data.acceptedAt ?? new Date(timestamp).toISOString(),
    ...(startedAt ? { startedAt } : {}),
    finishedAt: new Date().toISOString(),
    attemptsMade,
    warnings: [],
    artifacts: [],
    ...webhookOf(data),
  };
}

export function summaryOf({ record, place }: StoredLetter): DeadLetterSummary {
  const { projectId, jobId, requestId, attemptsMade, createdAt, finishedAt } = record;
  return {
    projectId,
    jobId,
    requestId,
    error: record.error ?? errorOfReason(undefined),
    ...(place ? { place } : {}),
    attemptsMade,
    acceptedAt: createdAt,
    failedAt: finishedAt,
  };
}

/** One letter for each time that a job was accepted: a replayed job that fails again gets another. */
export function letterId({ id, data }: Job<QueuedJob>): string {
  return `${id}~${data.submission ?? 'unknown'}`;
}

/** Whose letter it is. */
export function parseLetterId(id: string): { projectId: string; jobId: string } | undefined {
  const [projectId, jobId, submission] = id.split('~');
  return projectId && jobId && submission ? { projectId, jobId } : undefined;
}
