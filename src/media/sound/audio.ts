import { Decoder, FilterAPI } from 'node-av/api';
import {
  AV_CHANNEL_LAYOUT_STEREO,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_SAMPLE_FMT_FLT,
  AV_SAMPLE_FMT_FLTP,
  FF_ENCODER_AAC,
  FF_ENCODER_LIBOPUS,
} from 'node-av/constants';
import { FFmpegError, Frame, Packet, Rational } from 'node-av/lib';
import { PreviewError } from '../../errors.ts';
import { audioCodecs, SAMPLE_RATE, type VideoFormat } from '../codecs.ts';
import { hasPacket, openEncoder } from '../encoder.ts';
import { createCounter, firstStream, openDemuxer, readPackets } from '../ffmpeg.ts';
import type { AudioTrack, Sample } from '../mp4/track.ts';

/**
 * The length of the first audio stream in seconds. It counts packets instead of believing headers, because an MP3 without a
 * Xing header only guesses its duration. Nothing is decoded.
 * @throws Error where there is no audio stream, or no packet in it
 */
export async function probeAudioSeconds(bytes: Buffer, demuxerName: string): Promise<number> {
  const demuxer = await openDemuxer(bytes, demuxerName);
  try {
    const stream = firstStream(demuxer, 'audio', demuxerName);
    const secondsOf = (ticks: bigint): number => (Number(ticks) * stream.timeBase.num) / stream.timeBase.den;
    const count = createCounter();
    let ticks = 0n;
    if (demuxerName === 'wav') {
      // The samples have one size, so the bytes say how many there are. The demuxer counts no more than that either.
      ticks = stream.duration > 0n ? stream.duration : 0n;
      count(secondsOf(ticks));
    } else {
      for (const packet of readPackets(demuxer, stream)) {
        ticks += packet.duration;
        count(secondsOf(ticks));
      }
    }
    const seconds = secondsOf(ticks);
    if (!(seconds > 0)) throw new Error('its audio stream is empty');
    return seconds;
  } finally {
    await demuxer.close();
  }
}

/**
 * Decodes the first audio stream to blocks of interleaved stereo at {@link SAMPLE_RATE}. Damaged packets, such as at the end
 * of a truncated file, are skipped.
 * @param keepTimes for the sound of a video: silence fills late starts and gaps, so that it stays in step with the pictures
 * @throws PreviewError `asset_corrupt` where nothing can be decoded
 */
export async function* decodeAudio(
  bytes: Buffer,
  demuxerName: string,
  { keepTimes = false } = {},
): AsyncGenerator<Float32Array> {
  const demuxer = await openDemuxer(bytes, demuxerName);
  try {
    const stream = firstStream(demuxer, 'audio', demuxerName);
    const decoder = await Decoder.create(stream);
    const resampler = FilterAPI.create(
      // `async=1` fills and trims, and never stretches.
      `aresample=${SAMPLE_RATE}${keepTimes ? ':async=1:first_pts=0' : ''},aformat=sample_fmts=flt:channel_layouts=stereo`,
      {},
    );
    try {
      let isHeard = false;
      for (const packet of packetsAndEnd(demuxer, stream)) {
        // A packet is 20 ms of sound and decodes in microseconds: a hop to another thread would cost more.
        for (const frame of decodeWhole(decoder, packet)) {
          isHeard = true;
          yield* resample(resampler, frame, keepTimes);
        }
      }
      if (!isHeard)
        throw new PreviewError('asset_corrupt', 'A sound has nothing that can be decoded. Export it again.');
      for (const frame of await resampler.processAll(null)) yield takeSamples(frame);
    } finally {
      decoder.close();
      resampler.close();
    }
  } finally {
    await demuxer.close();
  }
}

function* packetsAndEnd(...from: Parameters<typeof readPackets>): Generator<Packet | null> {
  yield* readPackets(...from);
  yield null;
}

/** The frames of a packet, or none if it is damaged. */
function decodeWhole(decoder: Decoder, packet: Packet | null): Frame[] {
  try {
    return decoder.decodeAllSync(packet);
  } catch (error) {
    if (error instanceof FFmpegError) return [];
    throw error;
  }
}

function* resample(resampler: FilterAPI, frame: Frame, keepTimes: boolean): Generator<Float32Array> {
  if (!keepTimes && isMixFormat(frame)) {
    yield interleaved(frame);
    return;
  }
  const outputs = resampler.processAllSync(frame);
  frame.free();
  for (const output of outputs) yield takeSamples(output);
}

function takeSamples(frame: Frame): Float32Array {
  const samples = samplesOf(frame);
  frame.free();
  return samples;
}

/** The format that the AAC decoder gives for our own soundtracks. A filter would only reorder its samples. */
const isMixFormat = ({ format, sampleRate, channels }: Frame): boolean =>
  format === AV_SAMPLE_FMT_FLTP && sampleRate === SAMPLE_RATE && channels === 2;

/** Copies the samples out of a planar stereo frame, and frees it. */
function interleaved(frame: Frame): Float32Array {
  const bytes = frame.toBuffer();
  const count = frame.nbSamples;
  const left = new Float32Array(bytes.buffer, bytes.byteOffset, count);
  const right = new Float32Array(bytes.buffer, bytes.byteOffset + count * 4, count);
  const samples = new Float32Array(count * 2);
  for (let i = 0; i < count; i++) {
    samples[i * 2] = left[i] as number;
    samples[i * 2 + 1] = right[i] as number;
  }
  frame.free();
  return samples;
}

/** Copies the samples out of a packed float frame. */
function samplesOf(frame: Frame): Float32Array {
  const bytes = frame.toBuffer();
  const length = frame.nbSamples * 2;
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + length * 4));
}

/** Decodes a clip; what is behind `most` samples of each channel may be left out. */
export async function decodeClip(bytes: Buffer, demuxerName: string, most: number): Promise<Float32Array> {
  const blocks: Float32Array[] = [];
  let length = 0;
  for await (const block of decodeAudio(bytes, demuxerName)) {
    blocks.push(block);
    length += block.length;
    if (length >= most * 2) break;
  }
  const clip = new Float32Array(length);
  let at = 0;
  for (const block of blocks) {
    clip.set(block, at);
    at += block.length;
  }
  return clip;
}

/** The track of an encoded sound. */
export function soundTrack(format: VideoFormat): AudioTrack {
  const { codec, bitRate, priming, config } = audioCodecs[format];
  return {
    kind: 'audio',
    codec,
    timescale: SAMPLE_RATE,
    channels: 2,
    bitRate,
    priming,
    config: Buffer.from(config, 'hex'),
  };
}

const encoders = { aac: FF_ENCODER_AAC, libopus: FF_ENCODER_LIBOPUS };

/** Encodes interleaved stereo at {@link SAMPLE_RATE} to the samples of a {@link soundTrack}. */
export async function encodeSound(
  blocks: AsyncIterable<Float32Array>,
  format: VideoFormat,
): Promise<Sample[]> {
  const { encoder, bitRate, options, frameSamples, layout } = audioCodecs[format];
  const context = await openEncoder(encoders[encoder], options, (opened) => {
    opened.sampleRate = SAMPLE_RATE;
    opened.channelLayout = AV_CHANNEL_LAYOUT_STEREO;
    opened.sampleFormat = layout === 'planar' ? AV_SAMPLE_FMT_FLTP : AV_SAMPLE_FMT_FLT;
    opened.bitRate = BigInt(bitRate);
    opened.timeBase = new Rational(1, SAMPLE_RATE);
    opened.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
  });
  const samples: Sample[] = [];
  const packet = new Packet();
  packet.alloc();
  const drain = (frame: Frame | null): void => {
    FFmpegError.throwIfError(context.sendFrameSync(frame), 'encoding sound');
    frame?.free();
    while (hasPacket(context.receivePacketSync(packet), packet)) {
      const { data, duration } = packet;
      samples.push({ data: Buffer.from(data), duration: Number(duration), offset: 0, sync: true });
      packet.unref();
    }
  };
  try {
    let pts = 0;
    // The encoder is handed frames of just the size and layout that it takes, so that nothing is converted on the way.
    for await (const piece of inFrames(blocks, frameSamples)) {
      drain(frameOf(layout === 'planar' ? toPlanes(piece) : piece, layout, pts));
      pts += piece.length / 2;
    }
    drain(null);
    return samples;
  } finally {
    packet.free();
    context.freeContext();
  }
}

/** The same samples, `length` of them in each piece and what is left in the last. */
async function* inFrames(blocks: AsyncIterable<Float32Array>, length: number): AsyncGenerator<Float32Array> {
  let rest = new Float32Array(0);
  for await (const block of blocks) {
    const all = new Float32Array(rest.length + block.length);
    all.set(rest);
    all.set(block, rest.length);
    let at = 0;
    for (; at + length * 2 <= all.length; at += length * 2) yield all.subarray(at, at + length * 2);
    rest = all.slice(at);
  }
  if (rest.length > 0) yield rest;
}

function toPlanes(samples: Float32Array): Float32Array {
  const count = samples.length / 2;
  const planes = new Float32Array(samples.length);
  for (let i = 0; i < count; i++) {
    planes[i] = samples[i * 2] as number;
    planes[count + i] = samples[i * 2 + 1] as number;
  }
  return planes;
}

function frameOf(samples: Float32Array, layout: 'planar' | 'packed', pts: number): Frame {
  const frame = Frame.fromAudioBuffer(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength), {
    nbSamples: samples.length / 2,
    format: layout === 'planar' ? AV_SAMPLE_FMT_FLTP : AV_SAMPLE_FMT_FLT,
    sampleRate: SAMPLE_RATE,
    channelLayout: AV_CHANNEL_LAYOUT_STEREO,
    timeBase: { num: 1, den: SAMPLE_RATE },
  });
  frame.pts = BigInt(pts);
  return frame;
}
