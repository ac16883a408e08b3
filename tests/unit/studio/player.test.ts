import { describe, expect, it } from 'vitest';
import { mediaPlaylist } from '../../../src/api/streams/hls.ts';
import { createEventParser } from '../../../studio/src/api/eventParser.ts';
import { endAfter, readPlaylist, waitingFor } from '../../../studio/src/player/playlist.ts';
import { readVtt } from '../../../studio/src/player/vtt.ts';
import { fromJob } from '../../../studio/src/storyboard/job.ts';
import { patchCard } from '../../../studio/src/storyboard/storyboard.ts';
import {
  changedKey,
  keysOf,
  moveTime,
  restingTime,
  spanAt,
  spansOf,
} from '../../../studio/src/storyboard/timeline.ts';

describe('a playlist', () => {
  const text = mediaPlaylist({
    init: { url: '/init.mp4' },
    segments: [1, 2.5, 4].map((seconds) => ({ seconds, url: `/${seconds}.m4s` })),
    longestSeconds: 4,
    isComplete: false,
  });

  it('says how long its segments are', () => {
    expect(readPlaylist(text)).toEqual({ seconds: [1, 2.5, 4], isComplete: false });
  });

  it('can be ended early', () => {
    const short = endAfter(text, 2);
    expect(readPlaylist(short)).toEqual({ seconds: [1, 2.5], isComplete: true });
    expect(short).not.toContain('/4.m4s');
    expect(short).not.toContain('CAN-BLOCK-RELOAD');
    expect(short).toContain('#EXT-X-MAP:URI="/init.mp4"');
  });

  it('is asked for with a segment to wait for', () => {
    expect(waitingFor('/a.m3u8', 3)).toBe('/a.m3u8?_HLS_msn=3');
    expect(waitingFor('/a.m3u8?projectId=p', 3)).toBe('/a.m3u8?projectId=p&_HLS_msn=3');
  });
});

describe('the timeline', () => {
  const from = spansOf(['title', 'a', 'b', 'c'], [3, 4, 5, 6]);

  it('finds what is shown', () => {
    expect(spanAt(from, 0)?.key).toBe('title');
    expect(spanAt(from, 7)?.key).toBe('b');
    expect(spanAt(from, 99)?.key).toBe('c');
  });

  it('stays at what is seen when what is before it becomes longer', () => {
    const to = spansOf(['title', 'a', 'b', 'c'], [3, 10, 5, 6]);
    expect(moveTime(8, from, to)).toBeCloseTo(14);
  });

  it('stays at what is seen when it is moved, and within it when it becomes shorter', () => {
    const to = spansOf(['title', 'b', 'a', 'c'], [3, 1, 4, 6]);
    expect(moveTime(11, from, to)).toBeCloseTo(3.92);
  });

  it('stays at the time where what was seen is gone', () => {
    expect(moveTime(8, from, spansOf(['title', 'a'], [3, 4]))).toBeCloseTo(6.92);
  });

  it('has a title card where there is something to say, or nothing else', () => {
    const request = { title: '', steps: [{}], assets: [], audio: {} };
    expect(keysOf(fromJob({ previewRequest: request })).length).toBe(1);
    expect(keysOf(fromJob({ previewRequest: { ...request, steps: [] } }))).toEqual(['title']);
    expect(keysOf(fromJob({ previewRequest: { ...request, title: 'T' } }))[0]).toBe('title');
  });

  it('rests where nothing moves any more', () => {
    expect(restingTime({ key: 'a', start: 3, end: 7 })).toBe(4);
    expect(restingTime({ key: 'a', start: 3, end: 4 })).toBeCloseTo(3.35);
  });

  it('knows what was changed', () => {
    const before = fromJob({ previewRequest: { title: 'T', steps: [{}, {}], assets: [], audio: {} } });
    const key = before.cards[1]?.key ?? '';
    expect(changedKey(before, patchCard(before, key, { title: 'x' }))).toBe(key);
    expect(changedKey(before, { ...before, title: 'U' })).toBe('title');
    expect(changedKey(before, { ...before, options: { theme: 'paper' } })).toBeUndefined();
  });
});

describe('captions', () => {
  it('are read from WebVTT', () => {
    const file =
      'WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nA &lt;b&gt; &amp;\nsecond line\n\n01:00:00.000 --> 01:00:01.000\nlate\n';
    expect(readVtt(file)).toEqual([
      { start: 1, end: 2.5, text: 'A <b> &\nsecond line' },
      { start: 3600, end: 3601, text: 'late' },
    ]);
    expect(readVtt('')).toEqual([]);
  });
});

describe('server-sent events', () => {
  it('are put together from pieces', () => {
    const parse = createEventParser();
    expect(parse('event: status\nda')).toEqual([]);
    expect(parse('ta: {"a":1}\n\n: a comment\n\nevent: end\ndata: {"b":')).toEqual([
      { name: 'status', data: { a: 1 } },
    ]);
    expect(parse('2}\n\n')).toEqual([{ name: 'end', data: { b: 2 } }]);
  });
});
