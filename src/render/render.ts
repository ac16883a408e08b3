import type { ResolvedAsset } from '../assets/resolveAssets.ts';
import type { Artifact, Progress } from '../job/jobRecord.ts';
import type { OutputName, PreviewJob } from '../job/previewJob.types.ts';
import type { ArtifactStore, StoredObject } from '../storage/artifactStore.ts';
import type { PartMaker } from './parts/partMaker.ts';
import type { Plan } from './plan/plan.ts';
import type { Slides } from './slides/slides.ts';
import type { Stopwatch } from './stopwatch.ts';
import type { Timeline } from './timeline/timeline.ts';

/** One render while it runs: what is to be made, and what it is made with. */
export interface Render {
  job: PreviewJob;
  timeline: Timeline;
  plan: Plan;
  /** Those that can be used. */
  assets: readonly ResolvedAsset[];
  store: ArtifactStore;
  parts: PartMaker;
  slides: Slides;
  stopwatch: Stopwatch;
  onProgress(progress: Progress): void;
  /** Aborted where the render is given up: what takes long looks at it now and then. */
  signal: AbortSignal;
}

/** Whether the job wants something; without a wish it gets everything but the teaser. */
export function wants({ previewRequest: { options } }: PreviewJob, output: OutputName): boolean {
  return options?.outputs ? options.outputs.includes(output) : output !== 'teaser';
}

export function artifact(name: string, mediaType: string, { bytes, sha256 }: StoredObject): Artifact {
  return { name, mediaType, bytes, sha256 };
}
