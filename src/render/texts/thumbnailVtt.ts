import { placeOf, type SheetLayout } from '../pictures/thumbnailSheet.ts';
import { secondsOf, type Timeline } from '../timeline/timeline.ts';
import { clock } from './subtitles.ts';

/** WebVTT thumbnails: each cue names its rectangle of the sheet as a media fragment (`#xywh=`). */
export function thumbnailVtt({ entries, fps }: Timeline, layout: SheetLayout): string {
  const cues = entries.map((entry, i) => {
    const { left, top } = placeOf(i, layout);
    const { startSeconds, endSeconds } = secondsOf(entry, fps);
    const rectangle = `${left},${top},${layout.thumbWidth},${layout.thumbHeight}`;
    return `${clock(startSeconds, '.')} --> ${clock(endSeconds, '.')}\nstoryboard.jpg#xywh=${rectangle}\n`;
  });
  return ['WEBVTT\n', ...cues].join('\n');
}
