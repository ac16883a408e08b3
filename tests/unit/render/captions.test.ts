import { describe, expect, it } from 'vitest';
import { formatSrt, formatVtt } from '../../../src/render/texts/subtitles.ts';
import { buildCaptions } from '../../../src/render/timeline/captions.ts';
import { buildTimeline } from '../../../src/render/timeline/timeline.ts';

const text =
  'The first sentence is long enough to need more than one line. So is the second one, which follows it at once.';
const steps = [
  { text, durationSeconds: 6 },
  { title: 'Only <b>a</b> title', durationSeconds: 3 },
];
const timeline = buildTimeline({ steps, assets: [], audio: {} }, new Map(), 30);
const cues = buildCaptions(timeline, steps);

describe('captions', () => {
  it('say every word, in lines of at most 42 characters, two at a time', () => {
    expect(cues.flatMap((cue) => cue.lines).join(' ')).toBe(`${text} Only <b>a</b> title`);
    for (const cue of cues) {
      expect(cue.lines.length).toBeLessThanOrEqual(2);
      for (const line of cue.lines) expect(line.length).toBeLessThanOrEqual(42);
    }
  });

  it('follow each other without gaps and end with their step', () => {
    expect(cues[0]?.startSeconds).toBe(0);
    cues.forEach((cue, i) => {
      const next = cues[i + 1];
      if (next) expect(next.startSeconds).toBeCloseTo(cue.endSeconds, 6);
    });
    expect(cues.at(-1)?.endSeconds).toBe(9);
  });

  it('show markup as it was typed', () => {
    expect(formatVtt(cues)).toContain('Only &lt;b&gt;a&lt;/b&gt; title');
    expect(formatSrt(cues)).toContain('Only <b>a</b> title');
  });

  it('have the clocks of their formats', () => {
    expect(formatVtt(cues)).toMatch(/^WEBVTT\n\n00:00:00\.000 --> /);
    expect(formatSrt(cues)).toMatch(/^1\n00:00:00,000 --> /);
  });
});
