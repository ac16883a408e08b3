import { beforeAll, describe, expect, it } from 'vitest';
import { SAMPLE_RATE } from '../../../src/media/codecs.ts';
import { quietFfmpeg } from '../../../src/media/ffmpeg.ts';
import { createVideoSounds, videoHeard } from '../../../src/render/sound/videoSound.ts';

/** A WAV file of `seconds` in which every sample of both channels is `level`. */
function wav(seconds: number, level: number): Buffer {
  const samples = Buffer.alloc(seconds * SAMPLE_RATE * 4);
  for (let i = 0; i < samples.length; i += 2) samples.writeInt16LE(Math.round(level * 32_767), i);
  const header = Buffer.from('RIFF....WAVEfmt ....................data....', 'latin1');
  header.writeUInt32LE(36 + samples.length, 4);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(2, 22);
  header.writeUInt32LE(SAMPLE_RATE, 24);
  header.writeUInt32LE(SAMPLE_RATE * 4, 28);
  header.writeUInt16LE(4, 32);
  header.writeUInt16LE(16, 34);
  header.writeUInt32LE(samples.length, 40);
  return Buffer.concat([header, samples]);
}

const read = async () => ({ bytes: wav(2, 0.5), demuxer: 'wav' });
const video = { sha256: 'v', startSeconds: 0.5, seconds: 1, fadeSeconds: 0.25, gainDb: -6.0206 };

beforeAll(() => quietFfmpeg());

/** The left channel of `seconds`, played in blocks of `length` samples. */
async function play(
  videos: readonly (typeof video)[],
  seconds: number,
  length: number,
): Promise<Float32Array> {
  const next = createVideoSounds(videos, read);
  const heard = new Float32Array(seconds * SAMPLE_RATE);
  for (let start = 0; start < heard.length; start += length) {
    const block = await next(start, length);
    for (let i = 0; i < length && block; i++) heard[start + i] = block[i * 2] as number;
  }
  return heard;
}

const at = (sound: Float32Array, seconds: number): number => sound[Math.round(seconds * SAMPLE_RATE)] ?? 0;

describe('the sound of a video', () => {
  it.each([4_800, 48_000])(
    'is heard in its place, at its gain, and fades out; blocks of %i',
    async (length) => {
      const sound = await play([video], 3, length);
      expect(at(sound, 0.49)).toBe(0);
      expect(at(sound, 0.6)).toBeCloseTo(0.25, 3);
      expect(at(sound, 1.2)).toBeCloseTo(0.25, 3);
      expect(at(sound, 1.375)).toBeCloseTo(0.125, 2);
      expect(at(sound, 1.51)).toBe(0);
    },
  );

  it('begins and ends without a click', async () => {
    const sound = await play([{ ...video, fadeSeconds: 0 }], 2, 48_000);
    const steps = Array.from(sound, (value, i) => Math.abs(value - (sound[i - 1] ?? 0)));
    expect(steps.reduce((most, step) => Math.max(most, step), 0)).toBeLessThan(0.001);
  });

  it('ends with the file where that is shorter than its time', async () => {
    const sound = await play([{ ...video, seconds: 5 }], 4, 48_000);
    expect(at(sound, 2.4)).toBeCloseTo(0.25, 3);
    expect(at(sound, 2.6)).toBe(0);
  });

  it('is heard beside another one', async () => {
    const sound = await play([video, { ...video, startSeconds: 0.8 }], 3, 48_000);
    expect(at(sound, 1)).toBeCloseTo(0.5, 3);
    expect(at(sound, 1.7)).toBeLessThan(0.15);
  });

  it('makes room a little before it begins, and no longer when it fades out', () => {
    const heard = videoHeard([video], 0, 2 * SAMPLE_RATE, 0.25);
    const isHeard = (seconds: number) => heard[Math.round(seconds * SAMPLE_RATE)] === 1;
    expect([0.2, 0.3, 0.6, 1.2, 1.3].map(isHeard)).toEqual([false, true, true, true, false]);
  });
});
