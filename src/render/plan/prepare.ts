import type { LoadedAsset, ResolvedAsset } from '../../assets/resolveAssets.ts';
import type { Warning } from '../../job/jobRecord.ts';
import type { PreviewJob } from '../../job/previewJob.types.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';
import { buildTimeline, type Timeline } from '../timeline/timeline.ts';
import { inspectAssets } from './inspectAssets.ts';
import { buildPlan, type Plan } from './plan.ts';

/** A job, and what is to be made of it. */
export interface Prepared {
  job: PreviewJob;
  timeline: Timeline;
  plan: Plan;
  /** Those that can be used. */
  assets: readonly ResolvedAsset[];
  warnings: readonly Warning[];
}

/** Looks at the assets, and plans with what is found. @throws as `inspectAssets`, and `preview_too_long` */
export async function prepare(
  job: PreviewJob,
  loaded: readonly LoadedAsset[],
  store: ArtifactStore,
): Promise<Prepared> {
  const { assets, seconds, sounding, warnings } = await inspectAssets(job, loaded, store);
  const timeline = buildTimeline(job.previewRequest, seconds, job.previewRequest.options?.fps ?? 30);
  return { job, timeline, plan: buildPlan(job, timeline, assets, sounding), warnings, assets };
}
