import { decodeAudio, decodeClip, encodeSoundtrack, SAMPLE_RATE } from '../../media/audio.ts';
import { createLoudnessMeter, type Loudness } from '../../media/loudness.ts';
import type { SoundtrackContent } from '../plan.ts';

/** Reads the bytes of an asset and says which demuxer opens them. */
export type ReadSound = (sha256: string) => Promise<{ bytes: Buffer; demuxer: string }>;

/** A lossy encoder overshoots; with the limiter here the decoded soundtrack stays below the promised -1 dBTP. */
const CEILING_DB = -2;
/** More than this is noise being blown up. */
const MAX_GAIN_DB = 24;
/** Music under a voice, in decibels, and how fast it gives way and comes back. */
const DUCK_DB = -11;
const DUCK_ATTACK_SECONDS = 0.25;
const DUCK_RELEASE_SECONDS = 0.9;
const MUSIC_FADE_OUT_SECONDS = 2;
const MUSIC_FADE_IN_SECONDS = 0.4;
const BLOCK = SAMPLE_RATE;

/**
 * Mixes narration and music and brings the mix to its loudness in two passes: the first measures it, the second
 * mixes again with the gain that is missing. Decoding twice costs less than keeping an hour of samples.
 * @returns an MP4 file with one audio track, and what it measures
 */
export async function makeSoundtrack(
  content: SoundtrackContent,
  read: ReadSound,
): Promise<{ bytes: Buffer; loudness: Loudness }> {
  const before = createLoudnessMeter();
  for await (const block of mix(content, read)) before.push(block);
  const { integratedLufs } = before.result();
  const missing = integratedLufs === undefined ? 0 : content.loudnessLufs - integratedLufs;
  const bytes = await encodeSoundtrack(mix(content, read), {
    format: content.format,
    gainDb: Math.min(MAX_GAIN_DB, missing),
    ceilingDb: CEILING_DB,
  });
  const after = createLoudnessMeter();
  for await (const block of decodeAudio(bytes, 'mov')) after.push(block);
  return { bytes, loudness: after.result() };
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
  let voices: Voice[] = [];
  let duck = 1;
  for (let start = 0; start < total; start += BLOCK) {
    const length = Math.min(BLOCK, total - start);
    // A voice is decoded when the attack of the ducking before it begins, and let go when it has been spoken.
    while (waiting[0] && waiting[0].startSeconds * SAMPLE_RATE < start + 2 * BLOCK) {
      const next = waiting.shift();
      if (!next) break;
      const { bytes, demuxer } = await read(next.sha256);
      voices.push({
        start: Math.round(next.startSeconds * SAMPLE_RATE),
        samples: await decodeClip(bytes, demuxer),
        gain: decibels(next.gainDb),
      });
    }
    voices = voices.filter((voice) => voice.start + voice.samples.length / 2 > start);
    const block = music ? await music(length) : new Float32Array(length * 2);
    for (let i = 0; i < length; i++) {
      const at = start + i;
      duck = glide(duck, content.ducking && isSpoken(voices, at) ? DUCKED : 1);
      const gain = musicGain * duck * edges(at, total);
      block[i * 2] = (block[i * 2] as number) * gain;
      block[i * 2 + 1] = (block[i * 2 + 1] as number) * gain;
    }
    for (const voice of voices) addVoice(block, start, voice);
    yield block;
  }
}

/** Music gives way a little before the voice begins. */
function isSpoken(voices: readonly Voice[], at: number): boolean {
  const ahead = at + DUCK_ATTACK_SECONDS * SAMPLE_RATE;
  for (const { start, samples } of voices) {
    if (ahead >= start && at < start + samples.length / 2) return true;
  }
  return false;
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
          const { bytes, demuxer } = await read(music.sha256);
          source = decodeAudio(bytes, demuxer);
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
