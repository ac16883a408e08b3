import { atOnce } from '../concurrency/atOnce.ts';
import type { PlanSummary } from '../job/jobRecord.ts';
import type { PreviewJob } from '../job/previewJob.types.ts';
import { wants } from './outputs.ts';
import { PICTURES_AT_ONCE } from './picturesAtOnce.ts';
import { checkPictures } from './plan/checkPictures.ts';
import { summarizePlan } from './plan/planSummary.ts';
import { prepare } from './plan/prepare.ts';
import type { RenderContext } from './renderPreview.ts';
import { fitWords } from './slides/fitWords.ts';

/**
 * What a render would do: its timeline, which of its parts exist already, its warnings, and how long it would take here.
 * Nothing is made.
 */
export async function planPreview(
  job: PreviewJob,
  { assets: loaded, store }: Pick<RenderContext, 'assets' | 'store'>,
): Promise<PlanSummary> {
  const { plan, timeline, warnings, assets } = await prepare(job, loaded, store);
  const slides = plan.entries.flatMap((entry) => entry.slides);
  const words = await atOnce(slides, PICTURES_AT_ONCE, ({ content }) => fitWords(content));
  const pictures = wantsPictures(job) ? await checkPictures(plan, assets, store) : [];
  return summarizePlan(
    { plan, timeline, warnings: [...warnings, ...pictures, ...words.flatMap((fitted) => fitted.warnings)] },
    store,
  );
}

/** Whether slides are made at all. */
const wantsPictures = (job: PreviewJob): boolean =>
  (['video', 'poster', 'storyboard', 'teaser'] as const).some((output) => wants(job, output));
