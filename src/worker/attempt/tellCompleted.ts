import { PreviewError } from '../../errors.ts';
import type { JobRecord } from '../../job/jobRecord.ts';
import type { PreviewJob } from '../../job/previewJob.types.ts';
import type { Logger } from '../../logger.ts';
import type { PreviewMetrics } from '../previewMetrics.ts';

/**
 * Counts and logs what has become of a completed attempt.
 * @param completed the record that it wrote
 * @param standing the one that stands: of two ends the first
 * @throws PreviewError `cancelled` where the job was cancelled before it was completed
 */
export function tellCompleted(
  { dryRun, previewRequest }: PreviewJob,
  completed: JobRecord,
  standing: JobRecord,
  { logger, metrics }: { logger: Logger; metrics: PreviewMetrics },
): void {
  if (standing.status === 'cancelled') throw new PreviewError('cancelled');
  if (standing.startedAt !== completed.startedAt) {
    logger.info('another attempt had ended the job');
    return;
  }
  const seconds = (Date.now() - Date.parse(completed.startedAt ?? completed.createdAt)) / 1000;
  metrics.jobsTotal.inc({ outcome: dryRun ? 'dry_run' : 'success' });
  // How long a render takes goes by what it makes; a dry run makes nothing.
  if (!dryRun) metrics.jobDuration.observe({ format: previewRequest.options?.format ?? 'mp4' }, seconds);
  logger.info({ seconds, timings: completed.timings }, 'job completed');
}
