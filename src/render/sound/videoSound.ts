import { SAMPLE_RATE } from '../../media/codecs.ts';
import { decodeAudio } from '../../media/sound/audio.ts';
import type { VideoSound } from '../plan/soundtrackContent.ts';
import { gainOf } from './gain.ts';
import type { ReadSound } from './readSound.ts';

/** A cut in the middle of a wave clicks, so every video fades in and out over this time. */
const EDGE_SECONDS = 0.01;

interface Playing {
  /** Sample positions on the timeline. */
  first: number;
  last: number;
  /** How loud it is at a position. */
  gainAt(at: number): number;
  sound: AsyncGenerator<Float32Array>;
  rest: Float32Array;
}

/**
 * Plays the sounds of videos one block after the other; a video is decoded while it is heard, never as a whole.
 * @returns the block of interleaved stereo from `start` on; undefined where no video is heard in it
 */
export function createVideoSounds(
  videos: readonly VideoSound[],
  read: ReadSound,
): (start: number, length: number) => Promise<Float32Array | undefined> {
  const waiting = [...videos].sort((a, b) => a.startSeconds - b.startSeconds);
  let playing: Playing[] = [];
  return async (start, length) => {
    while (waiting[0] && firstSample(waiting[0]) < start + length) {
      playing.push(await begin(waiting.shift() as VideoSound, read));
    }
    if (playing.length === 0) return undefined;
    const block = new Float32Array(length * 2);
    for (const video of playing) await addTo(block, start, video);
    const ended = playing.filter(({ last }) => last <= start + length);
    for (const { sound } of ended) await sound.return(undefined);
    playing = playing.filter((video) => !ended.includes(video));
    return block;
  };
}

const firstSample = ({ startSeconds }: VideoSound): number => Math.round(startSeconds * SAMPLE_RATE);

async function begin(video: VideoSound, read: ReadSound): Promise<Playing> {
  const first = firstSample(video);
  const last = first + Math.round(video.seconds * SAMPLE_RATE);
  const gain = gainOf(video.gainDb);
  const [fadeIn, fadeOut] = [EDGE_SECONDS, Math.max(EDGE_SECONDS, video.fadeSeconds)];
  const { bytes, demuxer } = await read(video.sha256);
  return {
    first,
    last,
    gainAt: (at) =>
      gain * Math.min(1, (at - first) / (fadeIn * SAMPLE_RATE), (last - at) / (fadeOut * SAMPLE_RATE)),
    sound: decodeAudio(bytes, demuxer, { keepTimes: true }),
    rest: new Float32Array(0),
  };
}

async function addTo(block: Float32Array, start: number, video: Playing): Promise<void> {
  let at = Math.max(video.first, start);
  const end = Math.min(video.last, start + block.length / 2);
  while (at < end) {
    if (video.rest.length === 0) {
      const next = await video.sound.next();
      if (next.done) return;
      video.rest = next.value;
    }
    const count = Math.min(end - at, video.rest.length / 2);
    for (let i = 0; i < count; i++, at++) {
      const gain = video.gainAt(at);
      const to = (at - start) * 2;
      block[to] = (block[to] as number) + (video.rest[i * 2] as number) * gain;
      block[to + 1] = (block[to + 1] as number) + (video.rest[i * 2 + 1] as number) * gain;
    }
    video.rest = video.rest.subarray(count * 2);
  }
}

/** A mask of the `length` samples from `start` on: one where a video is heard, and from `lead` seconds before it begins. */
export function videoHeard(
  videos: readonly VideoSound[],
  start: number,
  length: number,
  lead: number,
): Uint8Array {
  const heard = new Uint8Array(length);
  for (const video of videos) {
    const from = firstSample(video) - lead * SAMPLE_RATE - start;
    const to = firstSample(video) + (video.seconds - video.fadeSeconds) * SAMPLE_RATE - start;
    if (to > 0 && from < length) heard.fill(1, Math.max(0, from), Math.max(0, to));
  }
  return heard;
}
