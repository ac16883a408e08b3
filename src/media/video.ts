import { Encoder, Muxer } from 'node-av/api';
import {
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_PIX_FMT_YUV420P,
  AVCOL_PRI_BT709,
  AVCOL_RANGE_MPEG,
  AVCOL_SPC_BT709,
  AVCOL_TRC_BT709,
  FF_ENCODER_LIBVPX_VP9,
  FF_ENCODER_LIBX264,
} from 'node-av/constants';
import { type CodecContext, Frame, Rational } from 'node-av/lib';
import type { YuvPicture } from './frame.ts';

export type VideoFormat = 'mp4' | 'webm';

/** A picture that is shown for `frames` frames; `make` is called once, when the encoder gets to it. */
export interface TimedPicture {
  frames: number;
  make(): YuvPicture;
}

export interface VideoSettings {
  format: VideoFormat;
  width: number;
  height: number;
  /** Frames a second; the time base of the stream is its inverse. */
  fps: number;
}

/**
 * The encoders' options; they are part of every segment's key. All segments of a preview share them, so that their
 * headers (SPS, PPS) are equal and their packets can be joined by copying.
 *
 * x264: no B-frames and no lookahead, because a segment is one still and the frames of one transition. A still is
 * looked at for seconds and a transition's frame for 33 ms: `ip_ratio` gives the bits to the still. `stitchable`
 * keeps the PPS from depending on the content (x264's common/set.c).
 */
export const videoCodecs = {
  mp4: {
    preset: 'veryfast',
    crf: 21,
    'x264-params':
      'stitchable=1:rc-lookahead=0:sync-lookahead=0:mbtree=0:scenecut=0:bframes=0:ref=1:ipratio=1.6:subme=1',
  },
  webm: { crf: 31, deadline: 'realtime', 'cpu-used': 7, 'lag-in-frames': 0 },
} as const;

/**
 * Encodes one closed GOP: an IDR picture first, then the rest. A still costs one frame however long it is shown,
 * because frames carry their own durations (variable frame rate).
 * @returns a fragmented MP4 file with one video track that starts at time 0
 */
export async function encodeSegment(
  pictures: readonly TimedPicture[],
  settings: VideoSettings,
): Promise<Buffer> {
  const timeBase = { num: 1, den: settings.fps };
  const encoder = await openEncoder(settings);
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
    const durations = pictures.map((picture) => picture.frames);
    const drain = async (frame: Frame | null): Promise<void> => {
      for (const packet of await encoder.encodeAll(frame)) {
        packet.duration = BigInt(durations.shift() ?? 1);
        await muxer.writePacket(packet, stream);
        packet.free();
      }
    };
    let pts = 0;
    for (const picture of pictures) {
      const frame = Frame.fromVideoBuffer(picture.make().data, {
        width: settings.width,
        height: settings.height,
        format: AV_PIX_FMT_YUV420P,
        timeBase,
      });
      frame.pts = BigInt(pts);
      pts += picture.frames;
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

function openEncoder(settings: VideoSettings): Promise<Encoder> {
  const common = {
    threadCount: 1,
    configure: (context: CodecContext): void => configureContext(context, settings),
  };
  return settings.format === 'mp4'
    ? Encoder.create(FF_ENCODER_LIBX264, { ...common, options: videoCodecs.mp4 })
    : Encoder.create(FF_ENCODER_LIBVPX_VP9, { ...common, options: videoCodecs.webm });
}

function configureContext(context: CodecContext, settings: VideoSettings): void {
  context.colorSpace = AVCOL_SPC_BT709;
  context.colorPrimaries = AVCOL_PRI_BT709;
  context.colorTrc = AVCOL_TRC_BT709;
  context.colorRange = AVCOL_RANGE_MPEG;
  context.timeBase = new Rational(1, settings.fps);
  context.framerate = new Rational(settings.fps, 1);
  context.maxBFrames = 0;
  // Longer than any segment: the only keyframe is the first.
  context.gopSize = 1_000_000;
  context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
}
