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
