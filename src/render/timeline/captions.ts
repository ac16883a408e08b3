import type { Step } from '../../job/previewJob.types.ts';
import { breakCaptions, cellsOf } from './captionLines.ts';
import type { Timeline } from './timeline.ts';

/** A caption; seconds from the start of the preview. */
export interface Cue {
  startSeconds: number;
  endSeconds: number;
  /** One or two lines. */
  lines: string[];
}

/** The words of each step as captions: as many as it takes, each shown for its share of the step's time. */
export function buildCaptions(timeline: Timeline, steps: readonly Step[]): Cue[] {
  return timeline.entries.flatMap((entry) => {
    const step = steps[entry.index];
    const words = step?.text ?? step?.title ?? '';
    const chunks = breakCaptions(words);
    const lengthOf = (lines: readonly string[]): number => cellsOf(lines.join(' '));
    const letters = chunks.reduce((sum, lines) => sum + lengthOf(lines), 0);
    const start = entry.startFrame / timeline.fps;
    const length = entry.frames / timeline.fps;
    let spoken = 0;
    return chunks.map((lines) => {
      const startSeconds = start + (length * spoken) / letters;
      spoken += lengthOf(lines);
      return { startSeconds, endSeconds: start + (length * spoken) / letters, lines };
    });
  });
}

/** WebVTT (https://www.w3.org/TR/webvtt1/). */
export function formatVtt(cues: readonly Cue[]): string {
  const blocks = cues.map(
    (cue) =>
      `${clock(cue.startSeconds, '.')} --> ${clock(cue.endSeconds, '.')}\n${cue.lines.map(escapeVtt).join('\n')}\n`,
  );
  return ['WEBVTT\n', ...blocks].join('\n');
}

/** SubRip: numbered, with a comma before the milliseconds. */
export function formatSrt(cues: readonly Cue[]): string {
  return cues
    .map(
      (cue, i) =>
        `${i + 1}\n${clock(cue.startSeconds, ',')} --> ${clock(cue.endSeconds, ',')}\n${cue.lines.join('\n')}\n`,
    )
    .join('\n');
}

/** A chapter for each entry of the timeline. */
export function buildChapters(timeline: Timeline): Cue[] {
  return timeline.entries.map((entry) => ({
    startSeconds: entry.startFrame / timeline.fps,
    endSeconds: (entry.startFrame + entry.frames) / timeline.fps,
    lines: [entry.label.replace(/\s+/g, ' ').trim()],
  }));
}

/** `-->` and markup have a meaning in WebVTT; words have none. */
const escapeVtt = (line: string): string =>
  line.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

/** hours:minutes:seconds and milliseconds behind `point`. */
export function clock(seconds: number, point: '.' | ','): string {
  const ms = Math.round(seconds * 1000);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const fraction = String(ms % 1000).padStart(3, '0');
  return `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1000) % 60)}${point}${fraction}`;
}
