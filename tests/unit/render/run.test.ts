import { beforeAll, describe, expect, it } from 'vitest';
import type { VideoSettings } from '../../../src/media/codecs.ts';
import { quietFfmpeg } from '../../../src/media/ffmpeg.ts';
import { slicesOf } from '../../../src/media/h264/nal.ts';
import { type CodedPicture, readPictures } from '../../../src/media/h264/stills.ts';
import { fragment, initSegment } from '../../../src/media/mp4/fragments.ts';
import { avcConfiguration } from '../../../src/media/mp4/track.ts';
import type { YuvPicture } from '../../../src/media/picture/frame.ts';
import { encodeFrames } from '../../../src/media/video/video.ts';
import { type Run, runOfStills, samplesOf, withFade, withRepeats } from '../../../src/render/segments/run.ts';
import { phasesOf } from '../../../src/render/shown/transition.ts';
import { decodeVideo } from '../../support/decodeVideo.ts';

const SETTINGS: VideoSettings = { format: 'mp4', width: 208, height: 112, fps: 30 };
const HELD = 20;

/** Something with edges and slopes, different for each seed; in `moved` a part of it lies elsewhere. */
function picture(seed: number, moved: boolean): YuvPicture {
  const { width, height } = SETTINGS;
  const data = Buffer.alloc((width * height * 3) / 2, 128);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = moved && x > 60 && x < 150 ? x + 3 : x;
      data[y * width + x] = 16 + ((at * seed + y * (7 - seed) + ((at >> 4) ^ (y >> 4)) * 31 * seed) % 219);
    }
  }
  data.fill(60 + seed * 20, width * height);
  return { width, height, data };
}

/** A still with another picture that is predicted from it, by motion too; and both as the encoder's own stream shows them. */
interface Pair {
  coded: [CodedPicture, CodedPicture];
  shown: [Buffer, Buffer];
}

async function pairOf(seed: number): Promise<Pair> {
  const { parameters, frames } = await encodeFrames([picture(seed, false), picture(seed, true)], SETTINGS);
  const stream = Buffer.concat([parameters, ...frames]);
  const coded = readPictures(stream) as Pair['coded'];
  const asEncoded = frames.flatMap(slicesOf).map((nal, i) => ({ nal, at: i }));
  const { sets } = coded[0];
  const decoded = await decodeVideo(
    fileOf({ sets, pictures: asEncoded, references: 2, order: 2, frames: 2 }),
  );
  return { coded, shown: decoded.map(({ data }) => data) as Pair['shown'] };
}

function fileOf(run: Run): Buffer {
  const { width, height, fps } = SETTINGS;
  const avcC = avcConfiguration(run.sets.sps, run.sets.pps);
  const track = { kind: 'video', timescale: fps, width, height, avcC } as const;
  return Buffer.concat([initSegment(track), fragment(samplesOf(run))]);
}

/** The pictures of a run by the frame in which each is shown first. */
async function shownBy(run: Run): Promise<Map<number, Buffer>> {
  const frames = await decodeVideo(fileOf(run));
  const start = frames[0]?.pts ?? 0;
  return new Map(frames.map(({ pts, data }) => [pts - start, data]));
}

beforeAll(quietFfmpeg);

describe('a fade of words and pictures', () => {
  let from: Pair;
  let to: Pair;
  let other: Pair;
  beforeAll(async () => {
    [from, to, other] = await Promise.all([pairOf(1), pairOf(4), pairOf(2)]);
  });

  it.each([2, 3, 4, 15, 60, 300])('of %i frames is decoded bit by bit as computed', async (frames) => {
    const run = withFade(runOfStills([from.coded[0]], [HELD]), from.coded[1], to.coded, frames);
    const shown = await shownBy(run);
    const { leaving, changing } = phasesOf({ type: 'fade', frames });
    const ends = [
      { at: HELD - 1, data: from.shown[0] },
      { at: HELD - 1 + leaving, data: from.shown[1] },
      ...(changing > 0 ? [{ at: HELD - 1 + leaving + changing, data: to.shown[1] }] : []),
      { at: HELD - 1 + frames, data: to.shown[0] },
    ];
    expect(shown.get(0)?.equals(from.shown[0])).toBe(true);
    for (const [i, start] of ends.entries()) {
      const end = ends[i + 1];
      if (!end) break;
      expect(shown.get(end.at)?.equals(end.data), `what is led to at ${end.at}`).toBe(true);
      const times = [...shown.keys()].filter((at) => at > Math.max(start.at, 0) && at < end.at);
      expect(times).toHaveLength(Math.min(62, end.at - start.at - 1));
      for (const [k, at] of times.entries()) {
        const weight = implicitWeight(k + 1, times.length + 1);
        const expected = start.data.map(
          (a, p) => (a * (64 - weight) + (end.data[p] as number) * weight + 32) >> 6,
        );
        expect(shown.get(at)?.equals(Buffer.from(expected)), `frame ${at}`).toBe(true);
      }
    }
  });

  it('follows several stills, each of which may be in its place again', async () => {
    const stills = [from, other, to, other, from].map(({ coded }) => coded[0]);
    const run = withFade(runOfStills(stills, [5, 5, 5, 5, 5]), from.coded[1], to.coded, 15);
    const shown = await shownBy(run);
    for (const [i, { shown: still }] of [from, other, to, other, from].entries()) {
      expect(shown.get(5 * i)?.equals(still[0]), `still ${i}`).toBe(true);
    }
    const { leaving, changing } = phasesOf({ type: 'fade', frames: 15 });
    expect(shown.get(24 + leaving)?.equals(from.shown[1])).toBe(true);
    expect(shown.get(24 + leaving + changing)?.equals(to.shown[1])).toBe(true);
    expect(shown.get(24 + 15)?.equals(to.shown[0])).toBe(true);
  });

  it('lasts as long as it is said to, and is shown in order', async () => {
    const run = withFade(runOfStills([from.coded[0]], [HELD]), from.coded[1], to.coded, 15);
    const samples = samplesOf(run);
    expect(samples.reduce((sum, { duration }) => sum + duration, 0)).toBe(HELD + 15);
    expect([...(await shownBy(run)).keys()]).toEqual([0, ...Array.from({ length: 15 }, (_, i) => HELD + i)]);
  });

  it('costs a few hundred bytes beside its stills', () => {
    const run = withFade(runOfStills([from.coded[0]], [HELD]), from.coded[1], to.coded, 15);
    const stills = [from.coded[0], from.coded[1], ...to.coded].reduce(
      (sum, { slice }) => sum + slice.length,
      0,
    );
    const bytes = run.pictures.reduce((sum, { nal }) => sum + nal.length, 0);
    expect(bytes - stills).toBeLessThan(700);
  });

  it('is the same still in its own segment, whether a wordless one is coded with it or not', async () => {
    const { frames } = await encodeFrames([picture(1, false)], SETTINGS);
    const both = await encodeFrames([picture(1, false), picture(1, true)], SETTINGS);
    expect(both.frames[0]?.equals(frames[0] as Buffer)).toBe(true);
  });
});

describe('a hold without a transition', () => {
  it('ends with two pictures that repeat it, so that a player that reorders shows it at once', async () => {
    const [from, to] = await Promise.all([pairOf(1), pairOf(4)]);
    const run = withRepeats(runOfStills([to.coded[0], from.coded[0]], [5, 5]));
    const shown = await shownBy(run);
    expect([...shown.keys()]).toEqual([0, 5, 8, 9]);
    for (const at of [5, 8, 9]) expect(shown.get(at)?.equals(from.shown[0]), `frame ${at}`).toBe(true);
    expect(withRepeats(runOfStills([from.coded[0]], [2])).pictures).toHaveLength(1);
  });
});

describe('the frames of a transition', () => {
  it.each([
    ['fade', 2, { leaving: 1, changing: 0, coming: 1 }],
    ['fade', 3, { leaving: 1, changing: 1, coming: 1 }],
    ['fade', 15, { leaving: 4, changing: 7, coming: 4 }],
    ['slide', 15, { leaving: 3, changing: 9, coming: 3 }],
  ] as const)('are shared out: a %s of %i', (type, frames, phases) => {
    expect(phasesOf({ type, frames })).toEqual(phases);
  });

  it.each(['fade', 'slide', 'wipe'] as const)('are all given to one of the phases: %s', (type) => {
    for (let frames = 3; frames < 600; frames++) {
      const { leaving, changing, coming } = phasesOf({ type, frames });
      expect(leaving + changing + coming).toBe(frames);
      expect(Math.min(leaving, changing, coming)).toBeGreaterThan(0);
      expect(leaving).toBe(coming);
    }
  });
});

/** ITU-R H.264, 8.4.2.3.1 with 8.4.1.2.3. */
function implicitWeight(position: number, distance: number): number {
  const tx = Math.trunc((16_384 + Math.trunc(distance / 2)) / distance);
  return ((position * tx + 32) >> 6) >> 2;
}
