import type { Job } from 'bullmq';
import { asPreviewError } from '../../errors.ts';
import type { PreviewJob } from '../../job/previewJob.types.ts';
import type { Logger } from '../../logger.ts';
import type { QueuedJob } from '../../queue/queuedJob.ts';
import { planWords } from '../../render/planWords.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';
import { inSpan, type Span } from '../../tracing.ts';
import type { PreviewMetrics } from '../previewMetrics.ts';
import { briefRows } from '../records/attemptHistory.ts';
import { completedRecord } from '../records/endRecords.ts';
import { workerName } from '../workerName.ts';
import { oneEachTurn } from './callTurns.ts';
import { tellCompleted } from './tellCompleted.ts';

/**
 * A dry run that words alone decide is over before anything could stop it: there is nothing to watch, to report or to go
 * on with. The answer is sent ahead of the job's end, and nobody waits for it.
 * @returns what has become of the job; undefined where it takes an attempt like any other, also where this one found a mistake
 */
export type BriefAttempt = (
  job: Job<QueuedJob>,
  payload: PreviewJob,
  span: Span,
) => Promise<string | undefined>;

export function createBriefAttempt(parts: {
  store: ArtifactStore;
  metrics: PreviewMetrics;
  logger: Logger;
}): BriefAttempt {
  const { store, metrics, logger } = parts;
  const worker = workerName();
  // Two that are answered together are sent together: Redis then syncs both while this process has nothing to do, and has
  // nothing to do itself while both are planned. One after the other, it syncs the one while the next is planned.
  const turn = oneEachTurn();

  return async (job, payload, span) => {
    // Of earlier attempts the queue has rows, which belong to the history.
    if (!payload.dryRun || !store.putAhead || job.attemptsStarted > 1) return undefined;
    await turn();
    const startedAt = new Date().toISOString();
    const plan = await inSpan(span, 'plan', () => planWords(payload, store)).catch(() => undefined);
    if (!plan) return undefined;
    const attempt = job.attemptsMade + 1;
    const outcome = { artifacts: [], warnings: plan.warnings, plan };
    const completed = completedRecord(payload, job.data, { startedAt, attemptsMade: attempt }, outcome);
    const rows = briefRows({ attempt, worker, startedAt, endedAt: completed.finishedAt });
    const ahead = store.putAhead(completed, JSON.stringify({ job: job.data.job, rows }));
    if (!ahead) return undefined;

    const { requestId, jobId, projectId } = payload;
    const ids = { requestId, jobId, projectId, attempt };
    ahead
      .then((standing) => tellCompleted(completed, standing, { ids }, parts))
      .catch((thrown: unknown) => {
        // The queue has been told that the job is over.
        const err = asPreviewError(thrown, 'store_unavailable');
        if (err.code !== 'cancelled')
          return logger.error({ ...ids, err }, 'how the job ended could not be kept');
        metrics.jobsTotal.inc({ outcome: 'cancelled' });
        logger.info(ids, 'job cancelled');
      });
    return completed.status;
  };
}
