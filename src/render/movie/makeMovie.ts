import type { Artifact } from '../../job/jobRecord.ts';
import type { StoredPart } from '../../storage/artifactStore.ts';
import { part } from '../plan/plan.ts';
import { artifact, type Render } from '../render.ts';
import type { Segments } from '../segments/makeSegments.ts';
import { type MovieParts, makeMp4, makeWebm, videoTrack } from './mp4.ts';

/** The finished video: the segments and the soundtrack, joined by copying. */
export async function makeMovie(
  { job, plan, timeline, parts, slides, store, signal }: Render,
  segments: Segments,
  soundtrack: StoredPart | undefined,
): Promise<Artifact> {
  const { video } = plan;
  const files: MovieParts = {
    segments: timeline.entries.map(({ frames }, i) => ({ part: segments.parts[i] as StoredPart, frames })),
    soundtrack,
  };
  const digests = [...segments.parts, ...(soundtrack ? [soundtrack] : [])].map(({ sha256 }) => sha256);
  if (video.format === 'webm') {
    const chapters = timeline.entries.map(({ startFrame, frames, label }) => ({
      startSeconds: startFrame / timeline.fps,
      endSeconds: (startFrame + frames) / timeline.fps,
      title: label,
    }));
    const details = { title: job.previewRequest.title, chapters };
    const { stored } = await parts.make(part('movie', { video, digests, details }), async () => ({
      object: await makeWebm(files, video, details, store),
    }));
    return artifact('preview.webm', 'video/webm', stored);
  }
  const chapters = timeline.entries.map(({ startFrame, label }) => ({
    startSeconds: startFrame / timeline.fps,
    title: label,
  }));
  const details = { title: job.previewRequest.title, chapters };
  const { stored } = await parts.make(part('movie', { video, digests, details }), async () => ({
    object: await makeMp4(videoTrack(await slides.still(0), video), files, details, video, { store, signal }),
  }));
  return artifact('preview.mp4', 'video/mp4', stored);
}
