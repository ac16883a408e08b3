import { type Demuxer, Muxer } from 'node-av/api';
import { Dictionary, type Packet, Rational, type Stream } from 'node-av/lib';
import type { VideoFormat } from '../codecs.ts';
import { openDemuxer, readPackets } from '../ffmpeg.ts';

/** A finished segment, read only when its turn comes, so that memory does not grow with the preview's length. */
export interface SegmentSource {
  frames: number;
  read(): Promise<Buffer>;
}

/**
 * Joins segments and the soundtrack into one finished file by copying packets; nothing is encoded again.
 * @param path the file to write; it has its index first
 * @param settings.indexBytes of a WebM: what is reserved for the index
 */
export async function joinSegments(
  path: string,
  segments: readonly SegmentSource[],
  soundtrack: Buffer | undefined,
  settings: { format: VideoFormat; fps: number; indexBytes: number; title?: string | undefined },
): Promise<void> {
  const sound = soundtrack && (await openDemuxer(soundtrack, 'mov'));
  const muxer = await Muxer.open(path, {
    useSyncQueue: false,
    format: settings.format,
    // Without it Matroska writes random numbers into its headers.
    options: {
      fflags: '+bitexact',
      ...(settings.format === 'mp4'
        ? { movflags: '+faststart' }
        : { reserve_index_space: settings.indexBytes }),
    },
    configure: (context) => {
      if (settings.title !== undefined) context.metadata = Dictionary.fromObject({ title: settings.title });
    },
  });
  try {
    await copyAll(muxer, segments, sound, settings.fps);
  } finally {
    await muxer.close();
    await sound?.close();
  }
}

async function copyAll(
  muxer: Muxer,
  segments: readonly SegmentSource[],
  sound: Demuxer | undefined,
  fps: number,
): Promise<void> {
  const soundStream = sound && streamOf(sound.audio(), 'soundtrack');
  const soundPackets = sound && soundStream && readPackets(sound, soundStream);
  let soundIndex = -1;
  let videoIndex = -1;
  let pending: Packet | undefined;
  let offset = 0;

  // Sound up to the end of the segment goes before it: players find both near each other in the file.
  const copySound = async (untilSeconds: number): Promise<void> => {
    if (!soundPackets) return;
    const next = (): Packet | undefined => soundPackets.next().value ?? undefined;
    pending ??= next();
    while (pending && (Number(pending.pts) * pending.timeBase.num) / pending.timeBase.den < untilSeconds) {
      await muxer.writePacket(pending, soundIndex);
      pending = next();
    }
  };

  for (const segment of segments) {
    const demuxer = await openDemuxer(await segment.read(), 'mov');
    try {
      const stream = streamOf(demuxer.video(), 'segment');
      if (videoIndex < 0) {
        // A Matroska block says how long it lasts where that is not one frame; what a frame lasts would be guessed from
        // the first segment.
        stream.avgFrameRate = new Rational(fps, 1);
        videoIndex = muxer.addStream(stream);
        if (soundStream) soundIndex = muxer.addStream(soundStream);
      }
      await copySound((offset + segment.frames) / fps);
      const ticks = (frames: number): bigint =>
        BigInt(Math.round((frames * stream.timeBase.den) / stream.timeBase.num / fps));
      for (const packet of untilNext(readPackets(demuxer, stream), ticks(segment.frames))) {
        packet.pts += ticks(offset);
        packet.dts += ticks(offset);
        await muxer.writePacket(packet, videoIndex);
      }
    } finally {
      await demuxer.close();
    }
    offset += segment.frames;
  }
  await copySound(Number.POSITIVE_INFINITY);
}

/** Packets of which each lasts until the next one, and the last until `end`: the demuxer of fragments does not say. */
function* untilNext(packets: Iterable<Packet>, end: bigint): Generator<Packet> {
  let last: Packet | undefined;
  try {
    for (const packet of packets) {
      const next = packet.clone();
      if (!next) throw new Error('a packet cannot be kept');
      if (last) yield lasting(last, packet.pts);
      last?.free();
      last = next;
    }
    if (last) yield lasting(last, end);
  } finally {
    last?.free();
  }
}

const lasting = (packet: Packet, until: bigint): Packet =>
  Object.assign(packet, { duration: until - packet.pts });

function streamOf(stream: Stream | undefined, what: string): Stream {
  if (!stream) throw new Error(`the ${what} has no stream`);
  return stream;
}
