import { availableParallelism } from 'node:os';
import { createSemaphore } from '../concurrency/semaphore.ts';
import type { VideoSettings } from '../media/codecs.ts';
import type { YuvPicture } from '../media/picture/frame.ts';
import { type CodedFrames, encodeFrames } from '../media/video/video.ts';

/** Encodes pictures for one preview, and counts them. */
export interface PictureEncoder {
  encode(pictures: Pictures): Promise<CodedFrames>;
  /** The same for a still, after those that came before it. */
  encodeStill(pictures: Pictures): Promise<CodedFrames>;
  framesEncoded(): number;
}

type Pictures = AsyncIterable<YuvPicture> | Iterable<YuvPicture>;

/** Encoders of stills at the same time: each has 50 MB at 1920x1080. They share the cores, and libuv's four threads. */
const STILLS_AT_ONCE = Math.min(availableParallelism(), 4);

export function createPictureEncoder(video: VideoSettings): PictureEncoder {
  const inTurn = createSemaphore(STILLS_AT_ONCE);
  let encoded = 0;
  const encode = async (pictures: Pictures): Promise<CodedFrames> => {
    const coded = await encodeFrames(pictures, video);
    encoded += coded.frames.length;
    return coded;
  };
  return {
    encode,
    encodeStill: (pictures) => inTurn(() => encode(pictures)),
    framesEncoded: () => encoded,
  };
}
