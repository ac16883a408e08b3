import type { Artifact } from '../../job/jobRecord.ts';
import type { StoredPart } from '../../storage/artifactStore.ts';
import { artifact } from '../outputs.ts';
import { part } from '../parts/part.ts';
import type { Prepared } from '../plan/prepare.ts';
import type { Segments } from '../segments/makeSegments.ts';
import { firstStill, videoTrack } from '../segments/still.ts';
import { chaptersOf } from '../timeline/chapters.ts';
import type { Workbench } from '../workbench.ts';
import type { MovieSources } from './movieSources.ts';
import { joinMp4 } from './mp4.ts';
import { joinWebm } from './webm.ts';

/** The finished video: the segments and the soundtrack, joined by copying. */
export async function makeMovie(
  { job, plan, timeline }: Prepared,
  bench: Pick<Workbench, 'parts' | 'slides' | 'encoder' | 'store' | 'signal'>,
  segments: Segments,
  soundtrack: StoredPart | undefined,
): Promise<Artifact> {
  const { video } = plan;
  const { title } = job.previewRequest;
  const sources: MovieSources = {
    segments: timeline.entries.map(({ frames }, i) => ({ stored: segments.stored[i] as StoredPart, frames })),
    soundtrack,
  };
  const digests = [...segments.stored, ...(soundtrack ? [soundtrack] : [])].map(({ sha256 }) => sha256);
  const chapters = chaptersOf(timeline);
  if (video.format === 'webm') {
    const details = { title, chapters };
    const { stored } = await bench.parts.make(part('movie', { video, digests, details }), async () => ({
      object: await joinWebm(sources, video, details, bench.store),
    }));
    return artifact('preview.webm', 'video/webm', stored);
  }
  // In MP4 a chapter ends where the next one begins.
  const details = {
    title,
    chapters: chapters.map(({ startSeconds, title: label }) => ({ startSeconds, title: label })),
  };
  const { stored } = await bench.parts.make(part('movie', { video, digests, details }), async () => ({
    object: await joinMp4(
      videoTrack(await firstStill(plan.entries, bench), video),
      sources,
      details,
      video,
      bench,
    ),
  }));
  return artifact('preview.mp4', 'video/mp4', stored);
}
