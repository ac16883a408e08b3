import type { Progress } from '../job/jobRecord.ts';
import type { ArtifactStore } from '../storage/artifactStore.ts';
import type { PartMaker } from './parts/partMaker.ts';
import type { PictureEncoder } from './pictureEncoder.ts';
import type { Slides } from './slides/slides.ts';
import type { Stopwatch } from './stopwatch.ts';

/** The tools of one render. Each maker takes the few that it needs. */
export interface Workbench {
  store: ArtifactStore;
  parts: PartMaker;
  slides: Slides;
  encoder: PictureEncoder;
  stopwatch: Stopwatch;
  onProgress(progress: Progress): void;
  /** Aborted when the render is given up; whatever takes long looks at it now and then. */
  signal: AbortSignal;
}
