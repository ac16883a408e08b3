import type { Artifact } from '../../job/jobRecord.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';
import { artifact, wants } from '../outputs.ts';
import { sheetLayout } from '../pictures/thumbnailSheet.ts';
import type { Prepared } from '../plan/prepare.ts';
import { buildCaptions, type Cue } from '../timeline/captions.ts';
import { chaptersOf } from '../timeline/chapters.ts';
import type { Timeline } from '../timeline/timeline.ts';
import { formatSrt, formatVtt } from './subtitles.ts';
import { thumbnailVtt } from './thumbnailVtt.ts';

/** The files beside the video that are text: captions, chapters, and where the thumbnails are. */
export function makeTexts({ job, timeline, plan }: Prepared, store: ArtifactStore): Promise<Artifact[]> {
  const captions = buildCaptions(timeline, job.previewRequest.steps);
  const layout = sheetLayout(plan.entries.length, plan.video);
  const texts = [
    ['storyboard', 'storyboard.vtt', 'text/vtt', () => thumbnailVtt(timeline, layout)],
    ['captions', 'captions.vtt', 'text/vtt', () => formatVtt(captions)],
    ['captions', 'captions.srt', 'application/x-subrip', () => formatSrt(captions)],
    ['chapters', 'chapters.vtt', 'text/vtt', () => formatVtt(chapterCues(timeline))],
  ] as const;
  return Promise.all(
    texts
      .filter(([output]) => wants(job, output))
      .map(async ([, name, mediaType, write]) =>
        artifact(name, mediaType, await store.putObject(Buffer.from(write()))),
      ),
  );
}

/** The chapters as cues of one line each. */
const chapterCues = (timeline: Timeline): Cue[] =>
  chaptersOf(timeline).map(({ title, ...seconds }) => ({
    ...seconds,
    lines: [title.replace(/\s+/g, ' ').trim()],
  }));
