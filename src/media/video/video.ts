import { Encoder, Muxer } from 'node-av/api';
import {
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_PICTURE_TYPE_I,
  AV_PICTURE_TYPE_P,
  AV_PIX_FMT_YUV420P,
  AVCOL_PRI_BT709,
  AVCOL_RANGE_MPEG,
  AVCOL_SPC_BT709,
  AVCOL_TRC_BT709,
  FF_ENCODER_LIBVPX_VP9,
  FF_ENCODER_LIBX264,
} from 'node-av/constants';
import { type CodecContext, FFmpegError, Frame, Packet, Rational } from 'node-av/lib';
import { type VideoSettings, videoCodecs } from '../codecs.ts';
import { hasPacket, openEncoder } from '../encoder.ts';
import type { YuvPicture } from '../picture/frame.ts';

/** Access units as byte streams with start codes (annex B). */
export interface CodedFrames {
  /** SPS and PPS, with start codes. */
  parameters: Buffer;
  /** In the order of display, which is that of decoding. The first is an IDR picture, the others are P pictures. */
  frames: Buffer[];
}

/** Encodes pictures to H.264, each predicted from the one before it; they are asked for one at a time. */
export async function encodeFrames(
  pictures: AsyncIterable<YuvPicture> | Iterable<YuvPicture>,
  settings: VideoSettings,
): Promise<CodedFrames> {
  const context = await openEncoder(FF_ENCODER_LIBX264, videoCodecs.mp4, (opened) => {
    const { width, height } = settings;
    Object.assign(opened, { width, height, pixelFormat: AV_PIX_FMT_YUV420P, threadCount: 1 });
    configureContext(opened, settings);
  });
  const packet = new Packet();
  packet.alloc();
  const frames: Buffer[] = [];
  const drain = async (frame: Frame | null): Promise<void> => {
    FFmpegError.throwIfError(await context.sendFrame(frame), 'encoding a picture');
    frame?.free();
    while (hasPacket(await context.receivePacket(packet), packet)) {
      frames.push(Buffer.from(packet.data));
      packet.unref();
    }
  };
  try {
    let pts = 0;
    for await (const picture of pictures) {
      const frame = frameOf(picture, settings, pts);
      frame.pictType = pts === 0 ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_P;
      pts++;
      await drain(frame);
    }
    await drain(null);
    if (!context.extraData) throw new Error('the encoder left no parameter sets');
    return { parameters: Buffer.from(context.extraData), frames };
  } finally {
    packet.free();
    context.freeContext();
  }
}

function frameOf(picture: YuvPicture, { fps }: VideoSettings, pts: number): Frame {
  const { width, height, data } = picture;
  const timeBase = { num: 1, den: fps };
  const frame = Frame.fromVideoBuffer(data, { width, height, format: AV_PIX_FMT_YUV420P, timeBase });
  frame.pts = BigInt(pts);
  return frame;
}

/**
 * Encodes one closed GOP: an IDR picture first, then the rest. A still costs one frame however long it is shown,
 * because frames carry their own durations (variable frame rate).
 * @returns a fragmented MP4 file with one video track that starts at time 0
 */
export async function encodeSegment(
  pictures: AsyncIterable<{ picture: YuvPicture; frames: number }>,
  settings: VideoSettings,
): Promise<Buffer> {
  const encoder = await Encoder.create(FF_ENCODER_LIBVPX_VP9, {
    threadCount: 1,
    configure: (context) => {
      configureContext(context, settings);
      context.maxBFrames = 0;
    },
    options: videoCodecs.webm,
  });
  const chunks: Buffer[] = [];
  const write = (chunk: Buffer): number => chunks.push(Buffer.from(chunk)) && chunk.length;
  const muxer = await Muxer.open(
    { write },
    {
      format: 'mp4',
      useSyncQueue: false,
      options: { movflags: 'frag_keyframe+empty_moov+default_base_moof' },
    },
  );
  try {
    const stream = muxer.addStream(encoder);
    // Without B-frames the packets come in the order of the frames; each gets its picture's duration.
    const durations: number[] = [];
    const drain = async (frame: Frame | null): Promise<void> => {
      for (const packet of await encoder.encodeAll(frame)) {
        packet.duration = BigInt(durations.shift() ?? 1);
        await muxer.writePacket(packet, stream);
        packet.free();
      }
    };
    let pts = 0;
    for await (const { picture, frames } of pictures) {
      durations.push(frames);
      const frame = frameOf(picture, settings, pts);
      pts += frames;
      await drain(frame);
      frame.free();
    }
    await drain(null);
  } finally {
    await muxer.close();
    encoder.close();
  }
  return Buffer.concat(chunks);
}

function configureContext(context: CodecContext, settings: VideoSettings): void {
  context.colorSpace = AVCOL_SPC_BT709;
  context.colorPrimaries = AVCOL_PRI_BT709;
  context.colorTrc = AVCOL_TRC_BT709;
  context.colorRange = AVCOL_RANGE_MPEG;
  context.timeBase = new Rational(1, settings.fps);
  context.framerate = new Rational(settings.fps, 1);
  // Longer than any segment, so that only the first picture is a keyframe.
  context.gopSize = 1_000_000;
  context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
}
