import type { Progress } from '../job/jobRecord.ts';
import type { ArtifactStore } from '../storage/artifactStore.ts';
import type { PartMaker } from './parts/partMaker.ts';
import type { PictureEncoder } from './pictureEncoder.ts';
import type { Slides } from './slides/slides.ts';
import type { Stopwatch } from './stopwatch.ts';

/** What the makers of one render work with. Each asks for the few of it that it needs. */
export interface Workbench {
  store: ArtifactStore;
  parts: PartMaker;
  slides: Slides;
  encoder: PictureEncoder;
  stopwatch: Stopwatch;
  onProgress(progress: Progress): void;
  /** Aborted where the render is given up: what takes long looks at it now and then. */
  signal: AbortSignal;
}
