import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PreviewError } from '../../errors.ts';
import { SAMPLE_RATE } from '../../media/codecs.ts';
import { fragment, initSegment } from '../../media/mp4/fragments.ts';
import type { AudioTrack, Sample } from '../../media/mp4/track.ts';
import { decodeAudio, encodeSound, soundTrack } from '../../media/sound/audio.ts';
import { createLimiter } from '../../media/sound/limiter.ts';
import { createLoudnessMeter, type Loudness } from '../../media/sound/loudness.ts';
import type { SoundtrackContent } from '../plan/soundtrackContent.ts';
import { gainOf } from './gain.ts';
import { BLOCK, mix } from './mix.ts';
import type { ReadSound } from './readSound.ts';

export interface Soundtrack {
  bytes: Buffer;
  loudness: Loudness;
}

/** Makes a soundtrack until the signal. @throws PreviewError `cancelled` at the signal */
export type SoundtrackMaker = (
  content: SoundtrackContent,
  read: ReadSound,
  signal: AbortSignal,
) => Promise<Soundtrack>;

/** A lossy encoder overshoots; with the limiter here the decoded soundtrack stays below the promised -1 dBTP. */
const CEILING_DB = -2;
/** More gain than this only amplifies noise. */
const MAX_GAIN_DB = 24;
/** A limiter with much to do makes the sound quieter; at most this much is given back. */
const MAX_MAKEUP_DB = 4;
/** A soundtrack that misses its loudness by more than this is encoded again. */
const TOLERANCE_LU = 0.3;
/** How much of a soundtrack is encoded to see how much quieter the encoder makes it. */
const EXCERPTS = 3;
const EXCERPT_SECONDS = 0.6;
/** Length of the soundtrack's fragments, for players that fetch it piece by piece. */
const FRAGMENT_SECONDS = 4;

/**
 * Mixes narration and music, and brings the mix to its loudness: the mix is measured while it is written to a file, and
 * read from there as often as the gain has to be tried. An hour of samples does not stay in memory.
 * @param stop is looked at for every second of sound
 * @returns an MP4 file of fragments with one audio track, and what it measures when it is decoded
 * @throws PreviewError `cancelled` where it is stopped
 */
export async function makeSoundtrack(
  content: SoundtrackContent,
  read: ReadSound,
  stop: Pick<AbortSignal, 'aborted'> = { aborted: false },
): Promise<Soundtrack> {
  const unlessStopped = async function* (blocks: AsyncIterable<Float32Array>): AsyncGenerator<Float32Array> {
    for await (const block of blocks) {
      if (stop.aborted) throw new PreviewError('cancelled');
      yield block;
    }
  };
  const folder = await mkdtemp(join(tmpdir(), 'preview-mix-'));
  try {
    const spool = join(folder, 'mix.f32');
    const mixed = await measure(unlessStopped(spooled(mix(content, read), spool)));
    const wanted = await findGain(mixed, content.loudnessLufs, spool);
    const gainDb = Math.min(MAX_GAIN_DB, wanted + (await predictLoss(spool, content, wanted)));
    const encode = async (gain: number): Promise<Soundtrack> => {
      const loud = unlessStopped(limited(spool, gain, mixed.truePeakDb + gain > CEILING_DB));
      const bytes = toFile(soundTrack(content.format), await encodeSound(loud, content.format));
      return { bytes, loudness: await measure(unlessStopped(decodeAudio(bytes, 'mov'))) };
    };
    const made = await encode(gainDb);
    const { integratedLufs = content.loudnessLufs } = made.loudness;
    // Noise loses energy in a lossy encoder. That is rare, and then worth encoding a second time.
    const lost = mixed.integratedLufs === undefined ? 0 : content.loudnessLufs - integratedLufs;
    const wasHeldBack = gainDb >= MAX_GAIN_DB;
    return Math.abs(lost) > TOLERANCE_LU && !wasHeldBack ? encode(gainDb + lost) : made;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The gain in decibels that reaches the wanted loudness, with a little more where the limiter makes the sound quieter. */
async function findGain(mixed: Loudness, targetLufs: number, spool: string): Promise<number> {
  if (mixed.integratedLufs === undefined) return 0;
  const missing = Math.min(MAX_GAIN_DB, targetLufs - mixed.integratedLufs);
  if (mixed.truePeakDb + missing <= CEILING_DB) return missing;
  const { integratedLufs = targetLufs } = await measure(limited(spool, missing, true));
  return missing + Math.min(MAX_MAKEUP_DB, Math.max(0, mixed.integratedLufs + missing - integratedLufs));
}

/**
 * How many decibels quieter the encoder will make it: noise loses energy in a lossy encoder, music hardly any. Measured on a few
 * excerpts, so that the whole is seldom encoded twice: half a minute of pink noise took 1.1 s with a
 * second pass, and 0.6 s without.
 */
async function predictLoss(
  spool: string,
  { format, seconds }: SoundtrackContent,
  gainDb: number,
): Promise<number> {
  const losses: number[] = [];
  for (let i = 0; i < EXCERPTS; i++) {
    const start = Math.floor(
      Math.max(0, ((i + 0.5) / EXCERPTS) * seconds - EXCERPT_SECONDS / 2) * SAMPLE_RATE,
    );
    const excerpt = await readExcerpt(spool, start, EXCERPT_SECONDS * SAMPLE_RATE, gainOf(gainDb));
    const coded = toFile(soundTrack(format), await encodeSound(once(excerpt), format));
    const [before, after] = [await measure(once(excerpt)), await measure(decodeAudio(coded, 'mov'))];
    if (before.integratedLufs !== undefined && after.integratedLufs !== undefined)
      losses.push(before.integratedLufs - after.integratedLufs);
  }
  return losses.length > 0 ? losses.reduce((sum, loss) => sum + loss, 0) / losses.length : 0;
}

async function readExcerpt(path: string, start: number, count: number, gain: number): Promise<Float32Array> {
  const file = await open(path);
  try {
    const samples = new Float32Array(count * 2);
    const { bytesRead } = await file.read(new Uint8Array(samples.buffer), 0, samples.byteLength, start * 8);
    return samples.subarray(0, bytesRead / 4).map((sample) => sample * gain);
  } finally {
    await file.close();
  }
}

async function* once(samples: Float32Array): AsyncGenerator<Float32Array> {
  yield samples;
}

async function measure(blocks: AsyncIterable<Float32Array>): Promise<Loudness> {
  const meter = createLoudnessMeter();
  for await (const block of blocks) meter.push(block);
  return meter.result();
}

/** Hands the blocks on, and writes them to `path`. */
async function* spooled(blocks: AsyncIterable<Float32Array>, path: string): AsyncGenerator<Float32Array> {
  const file = await open(path, 'w');
  try {
    for await (const block of blocks) {
      await file.write(Buffer.from(block.buffer, block.byteOffset, block.byteLength));
      yield block;
    }
  } finally {
    await file.close();
  }
}

/** The spooled mix with a gain. Where peaks would exceed the ceiling, a limiter keeps them below it. */
async function* limited(path: string, gainDb: number, hasPeaks: boolean): AsyncGenerator<Float32Array> {
  const gain = gainOf(gainDb);
  const limiter = hasPeaks ? createLimiter(gain, gainOf(CEILING_DB)) : createAmplifier(gain);
  const file = await open(path);
  try {
    for (;;) {
      const block = new Float32Array(BLOCK * 2);
      const { bytesRead } = await file.read(new Uint8Array(block.buffer), 0, block.byteLength);
      if (bytesRead === 0) break;
      yield limiter.push(block.subarray(0, bytesRead / 4));
    }
    yield limiter.end();
  } finally {
    await file.close();
  }
}

const createAmplifier = (gain: number) => ({
  push(samples: Float32Array): Float32Array {
    for (let i = 0; i < samples.length; i++) samples[i] = (samples[i] as number) * gain;
    return samples;
  },
  end: () => new Float32Array(0),
});

function toFile(track: AudioTrack, samples: readonly Sample[]): Buffer {
  const pieces = [initSegment(track)];
  let piece: Sample[] = [];
  let time = 0;
  let start = 0;
  for (const sample of samples) {
    piece.push(sample);
    time += sample.duration;
    if (time - start < FRAGMENT_SECONDS * track.timescale) continue;
    pieces.push(fragment(piece, start));
    piece = [];
    start = time;
  }
  if (piece.length > 0) pieces.push(fragment(piece, start));
  return Buffer.concat(pieces);
}
