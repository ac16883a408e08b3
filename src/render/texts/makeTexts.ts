import type { Artifact } from '../../job/jobRecord.ts';
import { sheetLayout, storyboardVtt } from '../pictures/thumbnailSheet.ts';
import { artifact, type Render, wants } from '../render.ts';
import { buildCaptions, buildChapters, formatSrt, formatVtt } from '../timeline/captions.ts';

/** The files beside the video that are text: captions, chapters, and where the thumbnails are. */
export function makeTexts({ job, timeline, plan, store }: Render): Promise<Artifact[]> {
  const captions = buildCaptions(timeline, job.previewRequest.steps);
  const layout = sheetLayout(plan.entries.length, plan.video);
  const texts = [
    ['storyboard', 'storyboard.vtt', 'text/vtt', () => storyboardVtt(timeline, layout)],
    ['captions', 'captions.vtt', 'text/vtt', () => formatVtt(captions)],
    ['captions', 'captions.srt', 'application/x-subrip', () => formatSrt(captions)],
    ['chapters', 'chapters.vtt', 'text/vtt', () => formatVtt(buildChapters(timeline))],
  ] as const;
  return Promise.all(
    texts
      .filter(([output]) => wants(job, output))
      .map(async ([, name, mediaType, write]) =>
        artifact(name, mediaType, await store.putObject(Buffer.from(write()))),
      ),
  );
}
