import type { PlanSummary } from '../job/jobRecord.ts';
import type { PreviewJob } from '../job/previewJob.types.ts';
import type { ArtifactStore } from '../storage/artifactStore.ts';
import { surelyFit } from './parts/wordsLayout.ts';
import { buildPlan } from './plan.ts';
import { summarizePlan } from './planSummary.ts';
import { buildTimeline } from './timeline.ts';

/** More steps than these would keep the process from other work for longer than ten milliseconds. */
const MOST_STEPS = 60;

/**
 * The same as `planPreview` for a job without assets whose words surely fit: no media is looked at and no words are laid
 * out, so no native code is needed for it, and any process can do it at once.
 * @returns undefined for any other job
 * @throws PreviewError `preview_too_long`
 */
export async function planWords(job: PreviewJob, store: ArtifactStore): Promise<PlanSummary | undefined> {
  const { steps, assets, options } = job.previewRequest;
  if (assets.length > 0 || steps.length > MOST_STEPS) return undefined;
  const timeline = buildTimeline(job.previewRequest, new Map(), options?.fps ?? 30);
  const plan = buildPlan(job, timeline, [], new Map());
  const slides = plan.entries.flatMap((entry) => entry.slides);
  if (!slides.every(({ content }) => surelyFit(content))) return undefined;
  return summarizePlan({ plan, timeline, warnings: [] }, store);
}
