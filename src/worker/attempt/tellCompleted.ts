import { PreviewError } from '../../errors.ts';
import type { JobRecord } from '../../job/jobRecord.ts';
import type { Logger } from '../../logger.ts';
import type { PreviewMetrics } from '../previewMetrics.ts';

/** What names a job, and the attempt at it, on each line that is logged of it. */
export interface AttemptIds {
  requestId: string;
  jobId: string;
  projectId: string;
  attempt: number;
}

/**
 * Counts and logs what has become of a completed attempt.
 * @param completed the record that it wrote
 * @param standing the one that stands: of two ends the first
 * @param format of the video; absent where none was made
 * @throws PreviewError `cancelled` where the job was cancelled before it was completed
 */
export function tellCompleted(
  completed: JobRecord,
  standing: JobRecord,
  { ids, format }: { ids?: AttemptIds; format?: 'mp4' | 'webm' },
  { logger, metrics }: { logger: Logger; metrics: PreviewMetrics },
): void {
  if (standing.status === 'cancelled') throw new PreviewError('cancelled');
  if (standing.startedAt !== completed.startedAt) {
    logger.info(ids, 'another attempt had ended the job');
    return;
  }
  const seconds = (Date.now() - Date.parse(completed.startedAt ?? completed.createdAt)) / 1000;
  metrics.jobsTotal.inc({ outcome: completed.dryRun ? 'dry_run' : 'success' });
  if (format) metrics.jobDuration.observe({ format }, seconds);
  logger.info({ ...ids, seconds, timings: completed.timings }, 'job completed');
}
