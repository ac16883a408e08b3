import { Demuxer } from 'node-av/api';
import {
  AV_CODEC_ID_AAC,
  AV_CODEC_ID_ALAC,
  AV_CODEC_ID_AV1,
  AV_CODEC_ID_FLAC,
  AV_CODEC_ID_H264,
  AV_CODEC_ID_HEVC,
  AV_CODEC_ID_MP3,
  AV_CODEC_ID_OPUS,
  AV_CODEC_ID_PCM_ALAW,
  AV_CODEC_ID_PCM_F32LE,
  AV_CODEC_ID_PCM_F64LE,
  AV_CODEC_ID_PCM_MULAW,
  AV_CODEC_ID_PCM_S16LE,
  AV_CODEC_ID_PCM_S24LE,
  AV_CODEC_ID_PCM_S32LE,
  AV_CODEC_ID_PCM_U8,
  AV_CODEC_ID_VORBIS,
  AV_CODEC_ID_VP8,
  AV_CODEC_ID_VP9,
  AV_DISPOSITION_ATTACHED_PIC,
  AV_LOG_ERROR,
  type AVCodecID,
  AVERROR_EOF,
  AVMEDIA_TYPE_AUDIO,
  AVMEDIA_TYPE_VIDEO,
} from 'node-av/constants';
import { avGetCodecName, FFmpegError, getFFmpegInfo, Log, Packet, type Stream } from 'node-av/lib';
import {
  BeyondLimits,
  MAX_CHANNELS,
  MAX_PACKETS,
  MAX_SECONDS,
  MAX_STREAMS,
  MAX_VIDEO_PIXELS,
  NotAccepted,
  SAMPLE_RATES,
  TooManyPixels,
} from './limits.ts';
import { checkBoxes } from './mp4/checkBoxes.ts';
import { checkElements } from './webm/checkElements.ts';

/** FFmpeg's own messages (encoder statistics) are noise in a service's log. Errors reach us as return values. */
export function quietFfmpeg(): void {
  Log.setLevel(AV_LOG_ERROR);
}

/** Which FFmpeg this is, such as 8.1; without the prefix and the name that whoever built it has put around it. */
export function ffmpegRelease(): string {
  const { version } = getFFmpegInfo();
  return /\d+(\.\d+)*/.exec(version)?.[0] ?? version;
}

/** What is decoded of each container, by the names of FFmpeg's decoders and by the codecs' ids. */
const CODECS: Record<string, { names: string; ids: readonly AVCodecID[] }> = {
  wav: {
    names: 'pcm_u8,pcm_s16le,pcm_s24le,pcm_s32le,pcm_f32le,pcm_f64le,pcm_alaw,pcm_mulaw',
    ids: [
      ...[AV_CODEC_ID_PCM_U8, AV_CODEC_ID_PCM_S16LE, AV_CODEC_ID_PCM_S24LE, AV_CODEC_ID_PCM_S32LE],
      ...[AV_CODEC_ID_PCM_F32LE, AV_CODEC_ID_PCM_F64LE, AV_CODEC_ID_PCM_ALAW, AV_CODEC_ID_PCM_MULAW],
    ],
  },
  mp3: { names: 'mp3float', ids: [AV_CODEC_ID_MP3] },
  flac: { names: 'flac', ids: [AV_CODEC_ID_FLAC] },
  ogg: { names: 'opus,vorbis', ids: [AV_CODEC_ID_OPUS, AV_CODEC_ID_VORBIS] },
  mov: {
    names: 'h264,hevc,libdav1d,vp9,aac,mp3float,opus,flac,alac',
    ids: [
      ...[AV_CODEC_ID_H264, AV_CODEC_ID_HEVC, AV_CODEC_ID_AV1, AV_CODEC_ID_VP9],
      ...[AV_CODEC_ID_AAC, AV_CODEC_ID_MP3, AV_CODEC_ID_OPUS, AV_CODEC_ID_FLAC, AV_CODEC_ID_ALAC],
    ],
  },
  matroska: {
    names: 'vp8,vp9,libdav1d,opus,vorbis',
    ids: [...[AV_CODEC_ID_VP8, AV_CODEC_ID_VP9, AV_CODEC_ID_AV1], ...[AV_CODEC_ID_OPUS, AV_CODEC_ID_VORBIS]],
  },
};

/** Looks at what FFmpeg would make tables of; for the containers that can say more than they hold. */
const CHECKS: Record<string, (bytes: Buffer) => void> = { mov: checkBoxes, matroska: checkElements };

/** The header of a WAV says everything. By default the demuxer reads 5 MB to make sure, which takes 50 ms. */
const WAV_PROBE_BYTES = 1 << 15;

/**
 * Opens `bytes` with the one named demuxer: FFmpeg neither guesses a format nor opens a protocol, and decodes nothing but
 * what is accepted in this container and is within the limits.
 * @throws NotAccepted, BeyondLimits, and FFmpegError where the bytes are damaged
 */
export async function openDemuxer(bytes: Buffer, demuxerName: string): Promise<Demuxer> {
  const codecs = CODECS[demuxerName];
  if (!codecs) throw new Error(`${demuxerName} is no demuxer for what strangers send`);
  CHECKS[demuxerName]?.(bytes);
  const demuxer = await Demuxer.open(bytes, {
    format: demuxerName,
    skipStreamInfo: true,
    options: {
      protocol_whitelist: 'none',
      format_whitelist: demuxerName === 'mov' ? 'mov,mp4,m4a,3gp,3g2,mj2' : demuxerName,
      codec_whitelist: codecs.names,
      max_streams: MAX_STREAMS,
      ...(demuxerName === 'wav' ? { probesize: WAV_PROBE_BYTES } : {}),
    },
  });
  try {
    // Probing decodes the first packets, so the headers are checked before.
    demuxer.streams.forEach(checkStream);
    const found = await demuxer.getFormatContext().findStreamInfo(null);
    FFmpegError.throwIfError(found, 'finding out what the streams are');
    demuxer.streams.forEach(checkStream);
    return demuxer;
  } catch (error) {
    await demuxer.close();
    throw error;
  }
}

function checkStream({ codecpar }: Stream): void {
  // The codec's own header may name another size than the container.
  if (codecpar.codecType === AVMEDIA_TYPE_VIDEO && codecpar.extradataSize > 0) codecpar.parseExtradata();
  const { codecType, width, height, sampleRate } = codecpar;
  if (codecType === AVMEDIA_TYPE_VIDEO && width * height > MAX_VIDEO_PIXELS)
    throw new TooManyPixels(
      `has pictures of ${width} x ${height} pixels, and at most ${MAX_VIDEO_PIXELS} are decoded`,
    );
  if (codecType !== AVMEDIA_TYPE_AUDIO) return;
  const { nbChannels } = codecpar.channelLayout;
  if (nbChannels > MAX_CHANNELS)
    throw new BeyondLimits(`has ${nbChannels} channels, and at most ${MAX_CHANNELS} are decoded`);
  if (sampleRate > 0 && (sampleRate < SAMPLE_RATES.min || sampleRate > SAMPLE_RATES.max))
    throw new BeyondLimits(
      `has ${sampleRate} samples a second; ${SAMPLE_RATES.min} to ${SAMPLE_RATES.max} are decoded`,
    );
}

/** The first stream of a kind; covers of records are none. @throws NotAccepted where its codec is not decoded here */
export function firstStream(demuxer: Demuxer, kind: Kind, demuxerName: string): Stream {
  const stream = findStream(demuxer, kind);
  if (!stream) throw new Error(`it has no ${kind} stream`);
  if (isDecoded(stream, demuxerName)) return stream;
  const codec = avGetCodecName(stream.codecpar.codecId) ?? 'none';
  const name = codec === 'none' ? 'an unknown codec' : `the codec ${codec}`;
  throw new NotAccepted(`has ${kind} of ${name}, which is not decoded`);
}

/** True where {@link firstStream} finds one. */
export function hasStream(demuxer: Demuxer, kind: Kind, demuxerName: string): boolean {
  const stream = findStream(demuxer, kind);
  return stream !== undefined && isDecoded(stream, demuxerName);
}

type Kind = 'audio' | 'video';

function findStream(demuxer: Demuxer, kind: Kind): Stream | undefined {
  const type = kind === 'audio' ? AVMEDIA_TYPE_AUDIO : AVMEDIA_TYPE_VIDEO;
  return demuxer.streams.find(
    ({ codecpar, disposition }) =>
      codecpar.codecType === type && (disposition & AV_DISPOSITION_ATTACHED_PIC) === 0,
  );
}

const isDecoded = ({ codecpar }: Stream, demuxerName: string): boolean =>
  CODECS[demuxerName]?.ids.includes(codecpar.codecId) ?? false;

/** Counts what is read of a file that was not inspected before. @throws BeyondLimits */
export function createCounter(): (seconds: number) => void {
  let packets = 0;
  return (seconds) => {
    if (++packets > MAX_PACKETS) throw new BeyondLimits(`has more than ${MAX_PACKETS} packets`);
    if (seconds > MAX_SECONDS) throw new BeyondLimits(`is longer than ${MAX_SECONDS / 3600} hours`);
  };
}

/**
 * The packets of one stream, in file order. Each packet is valid until the next one is asked for.
 * The bytes are in memory: a hop to another thread for each packet would take longer than reading it.
 * Reads through the low-level context, because `Demuxer.packets()` needs `Promise.withResolvers` (Node 22).
 */
export function* readPackets(demuxer: Demuxer, stream: Stream): Generator<Packet> {
  const context = demuxer.getFormatContext();
  const packet = new Packet();
  packet.alloc();
  try {
    for (;;) {
      const code = context.readFrameSync(packet);
      if (code === AVERROR_EOF) return;
      FFmpegError.throwIfError(code, 'reading a packet');
      if (packet.streamIndex === stream.index) {
        packet.timeBase = stream.timeBase;
        yield packet;
      }
      packet.unref();
    }
  } finally {
    packet.free();
  }
}
