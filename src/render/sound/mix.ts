import { SAMPLE_RATE } from '../../media/codecs.ts';
import { decodeAudio, decodeClip } from '../../media/sound/audio.ts';
import type { SoundtrackContent } from '../plan/soundtrackContent.ts';
import { gainOf } from './gain.ts';
import type { ReadSound } from './readSound.ts';
import { createVideoSounds, videoHeard } from './videoSound.ts';

/** Music under a voice, in decibels, and how fast it gives way and comes back. */
const DUCK_DB = -11;
const DUCK_ATTACK_SECONDS = 0.25;
const DUCK_RELEASE_SECONDS = 0.9;
const MUSIC_FADE_OUT_SECONDS = 2;
const MUSIC_FADE_IN_SECONDS = 0.4;
/** Samples of each channel that are mixed at a time: a second. */
export const BLOCK = SAMPLE_RATE;

interface Voice {
  /** Sample positions on the timeline. */
  start: number;
  samples: Float32Array;
  gain: number;
}

/** The mix as blocks of one second of interleaved stereo, exactly as long as the preview. */
export async function* mix(content: SoundtrackContent, read: ReadSound): AsyncGenerator<Float32Array> {
  const total = Math.round(content.seconds * SAMPLE_RATE);
  const waiting = [...content.narration].sort((a, b) => a.startSeconds - b.startSeconds);
  const music = content.music && musicReader(content.music, read);
  const musicGain = gainOf(content.music?.gainDb ?? 0);
  const videos = content.videos ?? [];
  const playVideos = createVideoSounds(videos, read);
  let voices: Voice[] = [];
  // The gain with which music and videos give way.
  let duck = 1;
  let videoDuck = 1;
  for (let start = 0; start < total; start += BLOCK) {
    const length = Math.min(BLOCK, total - start);
    // A voice is decoded when the music begins to give way to it, and released when it has been spoken.
    while (waiting[0] && waiting[0].startSeconds * SAMPLE_RATE < start + 2 * BLOCK) {
      const next = waiting.shift();
      if (!next) break;
      const { bytes, demuxer } = await read(next.sha256);
      voices.push({
        start: Math.round(next.startSeconds * SAMPLE_RATE),
        samples: await decodeClip(bytes, demuxer, total),
        gain: gainOf(next.gainDb),
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

/** A mask of the `length` samples from `start` on: one where a voice is heard, and a little before, when music gives way. */
function spokenSamples(voices: readonly Voice[], start: number, length: number): Uint8Array {
  const spoken = new Uint8Array(length);
  for (const voice of voices) {
    const from = voice.start - DUCK_ATTACK_SECONDS * SAMPLE_RATE - start;
    const to = voice.start + voice.samples.length / 2 - start;
    spoken.fill(1, Math.max(0, from), Math.max(0, to));
  }
  return spoken;
}

const DUCKED = gainOf(DUCK_DB);
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

/** Reads the music in blocks of any length. It begins again where it loops, else silence follows its end. */
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
