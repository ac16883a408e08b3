import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PreviewError } from '../../errors.ts';
import { SAMPLE_RATE } from '../../media/codecs.ts';
import { fragment, initSegment } from '../../media/mp4/fragments.ts';
import type { AudioTrack, Sample } from '../../media/mp4/track.ts';
import { decodeAudio, decodeClip, encodeSound, soundTrack } from '../../media/sound/audio.ts';
import { createLimiter } from '../../media/sound/limiter.ts';
import { createLoudnessMeter, type Loudness } from '../../media/sound/loudness.ts';
import type { SoundtrackContent } from '../plan/plan.ts';
import { createVideoSounds, videoHeard } from './videoSound.ts';

export interface Soundtrack {
  bytes: Buffer;
  loudness: Loudness;
}

/** Reads the bytes of an asset and says which demuxer opens them. */
export type ReadSound = (sha256: string) => Promise<{ bytes: Buffer; demuxer: string }>;

/** A lossy encoder overshoots; with the limiter here the decoded soundtrack stays below the promised -1 dBTP. */
const CEILING_DB = -2;
/** More than this is noise being blown up. */
const MAX_GAIN_DB = 24;
/** A limiter that has much to do makes the sound quieter; this much may be given back. */
const MAX_MAKEUP_DB = 4;
/** How far from its loudness a soundtrack may be without being encoded again. */
const TOLERANCE_LU = 0.3;
/** How much of a soundtrack is encoded to see what the encoder takes away. */
const EXCERPTS = 3;
const EXCERPT_SECONDS = 0.6;
/** Music under a voice, in decibels, and how fast it gives way and comes back. */
const DUCK_DB = -11;
const DUCK_ATTACK_SECONDS = 0.25;
const DUCK_RELEASE_SECONDS = 0.9;
const MUSIC_FADE_OUT_SECONDS = 2;
const MUSIC_FADE_IN_SECONDS = 0.4;
const BLOCK = SAMPLE_RATE;
/** Length of the soundtrack's fragments, for players that fetch it piece by piece. */
const FRAGMENT_SECONDS = 4;

/**
 * Mixes narration and music, and brings the mix to its loudness: the mix is measured while it is written to a file, and
 * read from there as often as the gain has to be tried. An hour of samples does not stay in memory.
 * @param isStopped is asked for every second of sound
 * @returns an MP4 file of fragments with one audio track, and what it measures when it is decoded
 * @throws PreviewError `cancelled` where it is stopped
 */
export async function makeSoundtrack(
  content: SoundtrackContent,
  read: ReadSound,
  isStopped: () => boolean = () => false,
): Promise<Soundtrack> {
  const unlessStopped = async function* (blocks: AsyncIterable<Float32Array>): AsyncGenerator<Float32Array> {
    for await (const block of blocks) {
      if (isStopped()) throw new PreviewError('cancelled');
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
    // What is like noise loses energy in a lossy encoder. It is rare, and then worth encoding a second time.
    const lost = mixed.integratedLufs === undefined ? 0 : content.loudnessLufs - integratedLufs;
    const wasHeldBack = gainDb >= MAX_GAIN_DB;
    return Math.abs(lost) > TOLERANCE_LU && !wasHeldBack ? encode(gainDb + lost) : made;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What is missing to the loudness that is wanted, and a little more where the limiter takes something away. */
async function findGain(mixed: Loudness, targetLufs: number, spool: string): Promise<number> {
  if (mixed.integratedLufs === undefined) return 0;
  const missing = Math.min(MAX_GAIN_DB, targetLufs - mixed.integratedLufs);
  if (mixed.truePeakDb + missing <= CEILING_DB) return missing;
  const { integratedLufs = targetLufs } = await measure(limited(spool, missing, true));
  return missing + Math.min(MAX_MAKEUP_DB, Math.max(0, mixed.integratedLufs + missing - integratedLufs));
}

/**
 * How many decibels the encoder will take away: what is like noise loses energy in a lossy encoder, music hardly any.
 * Learned from a few excerpts, so that the whole is seldom encoded twice: half a minute of pink noise took 1.1 s with a
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
    const excerpt = await readExcerpt(spool, start, EXCERPT_SECONDS * SAMPLE_RATE, decibels(gainDb));
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

/** What was spooled, with a gain; its peaks kept below the ceiling where some would exceed it. */
async function* limited(path: string, gainDb: number, hasPeaks: boolean): AsyncGenerator<Float32Array> {
  const gain = decibels(gainDb);
  const limiter = hasPeaks ? createLimiter(gain, decibels(CEILING_DB)) : createAmplifier(gain);
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

interface Voice {
  /** Sample positions on the timeline. */
  start: number;
  samples: Float32Array;
  gain: number;
}

/** The mix as blocks of one second of interleaved stereo, exactly as long as the preview. */
async function* mix(content: SoundtrackContent, read: ReadSound): AsyncGenerator<Float32Array> {
  const total = Math.round(content.seconds * SAMPLE_RATE);
  const waiting = [...content.narration].sort((a, b) => a.startSeconds - b.startSeconds);
  const music = content.music && musicReader(content.music, read);
  const musicGain = decibels(content.music?.gainDb ?? 0);
  const videos = content.videos ?? [];
  const playVideos = createVideoSounds(videos, read);
  let voices: Voice[] = [];
  // How far the music has given way, and the videos.
  let duck = 1;
  let videoDuck = 1;
  for (let start = 0; start < total; start += BLOCK) {
    const length = Math.min(BLOCK, total - start);
    // A voice is decoded when the attack of the ducking before it begins, and let go when it has been spoken.
    while (waiting[0] && waiting[0].startSeconds * SAMPLE_RATE < start + 2 * BLOCK) {
      const next = waiting.shift();
      if (!next) break;
      const { bytes, demuxer } = await read(next.sha256);
      voices.push({
        start: Math.round(next.startSeconds * SAMPLE_RATE),
        samples: await decodeClip(bytes, demuxer, total),
        gain: decibels(next.gainDb),
      });
    }
    voices = voices.filter((voice) => voice.start + voice.samples.length / 2 > start);
    const block = music ? await music(length) : new Float32Array(length * 2);
    const spoken = content.ducking && voices.length > 0 ? spokenSamples(voices, start, length) : undefined;
    if (music) {
      const heard =
        content.ducking && videos.length > 0
          ? videoHeard(videos, start, length, DUCK_ATTACK_SECONDS)
          : undefined;
      for (let i = 0; i < length; i++) {
        duck = glide(duck, spoken?.[i] || heard?.[i] ? DUCKED : 1);
        const gain = musicGain * duck * edges(start + i, total);
        block[i * 2] = (block[i * 2] as number) * gain;
        block[i * 2 + 1] = (block[i * 2 + 1] as number) * gain;
      }
    }
    const video = videos.length > 0 ? await playVideos(start, length) : undefined;
    for (let i = 0; i < (video?.length ?? 0); i += 2) {
      videoDuck = glide(videoDuck, spoken?.[i / 2] ? DUCKED : 1);
      block[i] = (block[i] as number) + (video?.[i] as number) * videoDuck;
      block[i + 1] = (block[i + 1] as number) + (video?.[i + 1] as number) * videoDuck;
    }
    for (const voice of voices) addVoice(block, start, voice);
    yield block;
  }
}

/** Ones where a voice is heard, of the `length` samples from `start` on; music gives way a little before it begins. */
function spokenSamples(voices: readonly Voice[], start: number, length: number): Uint8Array {
  const spoken = new Uint8Array(length);
  for (const voice of voices) {
    const from = voice.start - DUCK_ATTACK_SECONDS * SAMPLE_RATE - start;
    const to = voice.start + voice.samples.length / 2 - start;
    spoken.fill(1, Math.max(0, from), Math.max(0, to));
  }
  return spoken;
}

const DUCKED = decibels(DUCK_DB);
const ATTACK = 1 - Math.exp(-3 / (DUCK_ATTACK_SECONDS * SAMPLE_RATE));
const RELEASE = 1 - Math.exp(-3 / (DUCK_RELEASE_SECONDS * SAMPLE_RATE));

/** One-pole smoothing towards `target`: within the attack or release time it has gone 95 % of the way. */
const glide = (gain: number, target: number): number =>
  gain + (target - gain) * (target < gain ? ATTACK : RELEASE);

/** Fade in at the beginning and out at the end of the preview. */
function edges(at: number, total: number): number {
  const fadeIn = at / (MUSIC_FADE_IN_SECONDS * SAMPLE_RATE);
  const fadeOut = (total - at) / (MUSIC_FADE_OUT_SECONDS * SAMPLE_RATE);
  return Math.min(1, fadeIn, fadeOut);
}

function addVoice(block: Float32Array, start: number, { start: from, samples, gain }: Voice): void {
  const first = Math.max(0, from - start) * 2;
  const offset = (start - from) * 2;
  const last = Math.min(block.length, samples.length - offset);
  for (let i = first; i < last; i++) block[i] = (block[i] as number) + (samples[i + offset] as number) * gain;
}

/** Answers the music in blocks of any length, from the start again where it loops, silent after its end. */
function musicReader(
  music: NonNullable<SoundtrackContent['music']>,
  read: ReadSound,
): (length: number) => Promise<Float32Array> {
  let file: Awaited<ReturnType<ReadSound>> | undefined;
  let source: AsyncGenerator<Float32Array> | undefined;
  let rest: Float32Array = new Float32Array(0);
  let ended = false;
  return async (length) => {
    const block = new Float32Array(length * 2);
    let filled = 0;
    while (filled < block.length && !ended) {
      if (rest.length === 0) {
        const fresh = !source;
        if (!source) {
          file ??= await read(music.sha256);
          source = decodeAudio(file.bytes, file.demuxer);
        }
        const next = await source.next();
        if (next.done) {
          source = undefined;
          // A music file without a single sample would loop forever.
          ended = !music.loop || fresh;
          continue;
        }
        rest = next.value;
      }
      const taken = rest.subarray(0, block.length - filled);
      block.set(taken, filled);
      filled += taken.length;
      rest = rest.subarray(taken.length);
    }
    return block;
  };
}

function decibels(db: number): number {
  return 10 ** (db / 20);
}
