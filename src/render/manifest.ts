import type { Artifact, Warning } from '../job/jobRecord.ts';
import { ffmpegRelease } from '../media/ffmpeg.ts';
import type { StoredPart } from '../storage/artifactStore.ts';
import { RENDERER_VERSION } from './parts/part.ts';
import { stepsOf } from './plan/planSummary.ts';
import type { Prepared } from './plan/prepare.ts';
import type { Segments } from './segments/makeSegments.ts';
import type { Workbench } from './workbench.ts';

/** What the manifest tells of a render that is over. */
export interface Finished {
  files: readonly Artifact[];
  warnings: readonly Warning[];
  segments: Segments | undefined;
  soundtrack: StoredPart | undefined;
}

export function buildManifest(
  { job, plan, timeline }: Prepared,
  { encoder, stopwatch }: Pick<Workbench, 'encoder' | 'stopwatch'>,
  { files, warnings, segments, soundtrack }: Finished,
) {
  return {
    jobId: job.jobId,
    projectId: job.projectId,
    requestId: job.requestId,
    title: job.previewRequest.title,
    metadata: job.previewRequest.metadata ?? {},
    renderer: { version: RENDERER_VERSION, ffmpeg: ffmpegRelease() },
    durationSeconds: timeline.totalFrames / timeline.fps,
    width: plan.video.width,
    height: plan.video.height,
    fps: plan.video.fps,
    steps: stepsOf(timeline),
    artifacts: files,
    audio: soundtrack?.meta?.measured ?? null,
    stats: {
      renderSeconds: stopwatch.elapsedMs() / 1000,
      firstSegmentSeconds: segments?.firstSeconds ?? null,
      framesEncoded: encoder.framesEncoded(),
      segments: { total: plan.entries.length, reused: segments?.reused ?? 0 },
      stages: stopwatch.timings(),
    },
    warnings,
  };
}
