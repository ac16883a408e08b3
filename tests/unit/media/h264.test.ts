import { beforeAll, describe, expect, it } from 'vitest';
import type { VideoSettings } from '../../../src/media/codecs.ts';
import { quietFfmpeg } from '../../../src/media/ffmpeg.ts';
import {
  type CodedPicture,
  fadeFrame,
  MAX_FADE_PICTURES,
  placePicture,
  readParameterSets,
  readPictures,
  repeatFrame,
} from '../../../src/media/h264/stills.ts';
import { fragment, initSegment, nalsToSample } from '../../../src/media/mp4/fragments.ts';
import { avcConfiguration, type Sample } from '../../../src/media/mp4/track.ts';
import type { YuvPicture } from '../../../src/media/picture/frame.ts';
import { encodeFrames } from '../../../src/media/video/video.ts';
import { decodeVideo } from '../../support/decodeVideo.ts';

const SETTINGS: VideoSettings = { format: 'mp4', width: 208, height: 112, fps: 30 };

/** Something with edges and slopes, different for each seed. */
function picture(seed: number, { width, height } = SETTINGS): YuvPicture {
  const data = Buffer.alloc((width * height * 3) / 2, 128);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      data[y * width + x] = 16 + ((x * seed + y * (7 - seed) + ((x >> 4) ^ (y >> 4)) * 31 * seed) % 219);
    }
  }
  data.fill(60 + seed * 20, width * height);
  return { width, height, data };
}

async function still(seed: number): Promise<Buffer> {
  const { parameters, frames } = await encodeFrames([picture(seed)], SETTINGS);
  return Buffer.concat([parameters, ...frames]);
}

const readStill = (stream: Buffer): CodedPicture => readPictures(stream)[0] as CodedPicture;

/** Stills `from` and `to` with `between` pictures of a fade, as a file. */
function fade(from: Buffer, to: Buffer, between: number): Buffer {
  const [a, b] = [readStill(from), readStill(to)];
  const sample = (nal: Buffer, duration: number, offset: number): Sample => ({
    data: nalsToSample([nal]),
    duration,
    offset,
    sync: offset === 0,
  });
  const samples = [
    sample(placePicture(a, { references: 0, order: 0 }), 1, 0),
    sample(placePicture(b, { references: 1, order: between + 1 }), 1, between),
    ...Array.from({ length: between }, (_, i) =>
      sample(fadeFrame(a.sets, { references: 2, order: i + 1 }), 1, -1),
    ),
  ];
  const { sps, pps } = readParameterSets(from);
  const { width, height, fps } = SETTINGS;
  const avcC = avcConfiguration(sps, pps);
  return Buffer.concat([
    initSegment({ kind: 'video', timescale: fps, width, height, avcC }),
    fragment(samples),
  ]);
}

describe('fades without an encoder', () => {
  let from: Buffer;
  let to: Buffer;
  beforeAll(async () => {
    quietFfmpeg();
    [from, to] = await Promise.all([still(1), still(4)]);
  });

  it.each([1, 2, 14, 31, MAX_FADE_PICTURES])(
    'decodes %i pictures that are the weighted means of both stills',
    async (between) => {
      const frames = await decodeVideo(fade(from, to, between));
      const start = frames[0]?.pts ?? 0;
      expect(frames.map(({ pts }) => pts - start)).toEqual(Array.from({ length: between + 2 }, (_, i) => i));
      const first = frames[0]?.data as Buffer;
      const last = frames.at(-1)?.data as Buffer;
      for (let i = 1; i <= between; i++) {
        const weight = implicitWeight(i, between + 1);
        const data = frames[i]?.data as Buffer;
        const expected = first.map((a, at) => (a * (64 - weight) + (last[at] as number) * weight + 32) >> 6);
        expect(data.equals(Buffer.from(expected)), `picture ${i}`).toBe(true);
      }
    },
  );

  it('shows the second still just as it is at the beginning of a sequence of its own', async () => {
    const frames = await decodeVideo(fade(from, to, 5));
    const [alone] = await decodeVideo(fade(to, from, 1));
    expect(frames.at(-1)?.data.equals(alone?.data as Buffer)).toBe(true);
  });

  it('repeats the last still, however many were before it', async () => {
    const stills = [readStill(to), readStill(from)];
    const { sets } = readStill(from);
    const { sps, pps } = sets;
    const { width, height, fps } = SETTINGS;
    const track = { kind: 'video', timescale: fps, width, height, avcC: avcConfiguration(sps, pps) } as const;
    const nals = [
      ...stills.map((still, i) => placePicture(still, { references: i, order: i })),
      repeatFrame(sets, { references: 2, order: 2 }),
      repeatFrame(sets, { references: 2, order: 3 }),
    ];
    const samples = nals.map((nal, i) => ({
      data: nalsToSample([nal]),
      duration: 1,
      offset: 0,
      sync: i === 0,
    }));
    const [other, still, ...repeats] = await decodeVideo(
      Buffer.concat([initSegment(track), fragment(samples)]),
    );
    expect(still?.data.equals(other?.data as Buffer)).toBe(false);
    expect(repeats).toHaveLength(2);
    for (const repeat of repeats) expect(repeat.data.equals(still?.data as Buffer)).toBe(true);
  });

  it('costs a few dozen bytes a picture', () => {
    const { sets } = readStill(from);
    expect(fadeFrame(sets, { references: 2, order: 1 }).length).toBeLessThan(40);
  });

  it('gives stills of different pictures different numbers, and the same still the same', () => {
    const place = { references: 0, order: 0 };
    expect(placePicture(readStill(from), place)).toEqual(placePicture(readStill(from), place));
    expect(placePicture(readStill(from), place).subarray(0, 6)).not.toEqual(
      placePicture(readStill(to), place).subarray(0, 6),
    );
  });

  it('refuses a stream that it could not continue', async () => {
    expect(() => readStill(Buffer.from('no stream at all'))).toThrow('no parameter sets');
    const { parameters, frames } = await encodeFrames([picture(1), picture(2)], SETTINGS);
    const [first, second] = frames as [Buffer, Buffer];
    expect(
      readPictures(Buffer.concat([parameters, first, second])).map(({ predicted }) => predicted),
    ).toEqual([false, true]);
    expect(() => readPictures(Buffer.concat([parameters, second, first]))).toThrow('IDR picture comes first');
  });
});

/** ITU-R H.264, 8.4.2.3.1 with 8.4.1.2.3. */
function implicitWeight(position: number, distance: number): number {
  const tx = Math.trunc((16_384 + Math.trunc(distance / 2)) / distance);
  return ((position * tx + 32) >> 6) >> 2;
}
