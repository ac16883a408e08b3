import { describe, expect, it } from 'vitest';
import { PreviewError } from '../../../src/errors.ts';
import { buildTimeline } from '../../../src/render/timeline/timeline.ts';

const request = (steps: object[], title?: string) => ({
  ...(title ? { title } : {}),
  steps,
  assets: [],
  audio: {},
});

describe('the timeline', () => {
  it('is the title card alone where there are no steps', () => {
    const timeline = buildTimeline(request([]), new Map(), 30);
    expect(timeline.entries).toMatchObject([{ kind: 'title', startFrame: 0, frames: 90 }]);
    expect(timeline.entries[0]?.exit).toBeUndefined();
  });

  it('shows a step as long as it says, as its narration lasts, or as its words take to read', () => {
    const steps = [
      { durationSeconds: 4 },
      { narration: 'voice' },
      { text: 'x'.repeat(150) },
      { text: 'short' },
    ];
    const timeline = buildTimeline(request(steps), new Map([['voice', 5]]), 10);
    expect(timeline.entries.map(({ frames }) => frames)).toEqual([40, 56, 100, 25]);
  });

  it('rounds boundaries instead of lengths, so that errors do not add up', () => {
    const steps = Array.from({ length: 300 }, () => ({ durationSeconds: 1.01 }));
    const timeline = buildTimeline(request(steps), new Map(), 30);
    expect(timeline.totalFrames).toBe(Math.round(300 * 1.01 * 30));
    timeline.entries.forEach((entry, i) => {
      const next = timeline.entries[i + 1];
      if (next) expect(next.startFrame).toBe(entry.startFrame + entry.frames);
    });
  });

  it('lets a transition take at most half of what is before it, and none where none is wanted', () => {
    const steps = [
      { durationSeconds: 1 },
      { durationSeconds: 1, transition: { type: 'wipe', durationSeconds: 0.9 } },
      { durationSeconds: 1, transition: { type: 'none' } },
    ];
    const timeline = buildTimeline(request(steps) as never, new Map(), 30);
    expect(timeline.entries[0]?.exit).toEqual({ type: 'wipe', frames: 15 });
    expect(timeline.entries[1]?.exit).toBeUndefined();
  });

  it('takes a transition of a single frame for a cut', () => {
    const step = (durationSeconds: number) => ({ transition: { type: 'fade', durationSeconds } });
    const steps = [{}, step(1 / 30), step(2 / 30)];
    const timeline = buildTimeline(request(steps as never), new Map(), 30);
    expect(timeline.entries.map(({ exit }) => exit?.frames)).toEqual([undefined, 2, undefined]);
  });

  it('refuses a preview of more than an hour', () => {
    const steps = Array.from({ length: 40 }, () => ({ durationSeconds: 120 }));
    expect(() => buildTimeline(request(steps), new Map(), 30)).toThrow(PreviewError);
  });
});
