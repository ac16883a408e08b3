import { Decoder } from 'node-av/api';
import { openDemuxer, readPackets } from '../../src/media/ffmpeg.ts';

export interface DecodedFrame {
  /** In the stream's time base. */
  pts: number;
  /** Planar YUV 4:2:0 without padding. */
  data: Buffer;
}

/** Decodes the video of a file in memory, frame by frame in the order of display. */
export async function decodeVideo(bytes: Buffer, demuxerName = 'mov'): Promise<DecodedFrame[]> {
  const demuxer = await openDemuxer(bytes, demuxerName);
  const stream = demuxer.video();
  if (!stream) throw new Error('there is no video');
  const decoder = await Decoder.create(stream);
  const frames: DecodedFrame[] = [];
  const take = (decoded: Awaited<ReturnType<typeof decoder.decodeAll>>): void => {
    for (const frame of decoded) {
      frames.push({ pts: Number(frame.pts), data: Buffer.from(frame.toBuffer()) });
      frame.free();
    }
  };
  try {
    for (const packet of readPackets(demuxer, stream)) take(await decoder.decodeAll(packet));
    take(await decoder.decodeAll(null));
  } finally {
    decoder.close();
    await demuxer.close();
  }
  return frames;
}
