import { Decoder, Encoder, FilterAPI, Muxer } from 'node-av/api';
import {
  AV_CHANNEL_LAYOUT_STEREO,
  AV_SAMPLE_FMT_FLT,
  FF_ENCODER_AAC,
  FF_ENCODER_LIBOPUS,
} from 'node-av/constants';
import { Frame } from 'node-av/lib';
import { createMemoryFile, openDemuxer, readPackets } from './ffmpeg.ts';
import type { VideoFormat } from './video.ts';

/** Everything is mixed as interleaved stereo, 32-bit float, at this rate (hertz). */
export const SAMPLE_RATE = 48_000;

/** The encoders' settings; they are part of the soundtrack's key. */
export const audioCodecs = {
  mp4: { encoder: FF_ENCODER_AAC, bitRate: 160_000, options: { aac_coder: 'fast' } },
  webm: { encoder: FF_ENCODER_LIBOPUS, bitRate: 128_000, options: {} },
} as const;

/**
 * The length of the first audio stream in seconds. Packets are counted rather than headers believed: an MP3 without
 * a Xing header only guesses its duration. Nothing is decoded.
 * @throws Error where there is no audio stream, or no packet in it
 */
export async function probeAudioSeconds(bytes: Buffer, demuxerName: string): Promise<number> {
  const demuxer = await openDemuxer(bytes, demuxerName);
  try {
    const stream = demuxer.audio();
    if (!stream) throw new Error('it has no audio stream');
    let ticks = 0n;
    for await (const packet of readPackets(demuxer, stream)) ticks += packet.duration;
    const seconds = (Number(ticks) * stream.timeBase.num) / stream.timeBase.den;
    if (!(seconds > 0)) throw new Error('its audio stream is empty');
    return seconds;
  } finally {
    await demuxer.close();
  }
}

/** Decodes the first audio stream to blocks of interleaved stereo at {@link SAMPLE_RATE}. */
export async function* decodeAudio(bytes: Buffer, demuxerName: string): AsyncGenerator<Float32Array> {
  const demuxer = await openDemuxer(bytes, demuxerName);
  try {
    const stream = demuxer.audio();
    if (!stream) throw new Error('it has no audio stream');
    const decoder = await Decoder.create(stream);
    const resampler = FilterAPI.create(
      `aresample=${SAMPLE_RATE},aformat=sample_fmts=flt:channel_layouts=stereo`,
      {},
    );
    try {
      for await (const packet of readPackets(demuxer, stream)) {
        // A packet is 20 ms of sound and decodes in microseconds: a hop to another thread would cost more.
        for (const frame of decoder.decodeAllSync(packet)) yield* resample(resampler, frame);
      }
      for (const frame of decoder.decodeAllSync(null)) yield* resample(resampler, frame);
      for (const frame of await resampler.processAll(null)) yield takeSamples(frame);
    } finally {
      decoder.close();
      resampler.close();
    }
  } finally {
    await demuxer.close();
  }
}

function* resample(resampler: FilterAPI, frame: Frame): Generator<Float32Array> {
  const outputs = resampler.processAllSync(frame);
  frame.free();
  for (const output of outputs) yield takeSamples(output);
}

function takeSamples(frame: Frame): Float32Array {
  const samples = samplesOf(frame);
  frame.free();
  return samples;
}

/** Copies the samples out of a packed float frame. */
function samplesOf(frame: Frame): Float32Array {
  const bytes = frame.toBuffer();
  const length = frame.nbSamples * 2;
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + length * 4));
}

/** Decodes the whole of a short clip. */
export async function decodeClip(bytes: Buffer, demuxerName: string): Promise<Float32Array> {
  const blocks: Float32Array[] = [];
  for await (const block of decodeAudio(bytes, demuxerName)) blocks.push(block);
  const clip = new Float32Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    clip.set(block, at);
    at += block.length;
  }
  return clip;
}

/**
 * Encodes a soundtrack with a constant gain and a limiter.
 *
 * The limiter works at four times the rate, so that it sees the peaks between the samples (true peak, BS.1770-5
 * annex 2). Its ceiling lies below the promised -1 dBTP, because a lossy encoder adds overshoot of its own.
 * @returns an MP4 file with one audio track
 */
export async function encodeSoundtrack(
  blocks: AsyncIterable<Float32Array>,
  settings: { format: VideoFormat; gainDb: number; ceilingDb: number },
): Promise<Buffer> {
  const codec = audioCodecs[settings.format];
  const limit = 10 ** (settings.ceilingDb / 20);
  const filter = FilterAPI.create(
    [
      `volume=${settings.gainDb.toFixed(3)}dB:precision=float`,
      `aresample=${SAMPLE_RATE * 4}`,
      `alimiter=limit=${limit.toFixed(6)}:attack=2:release=60:level=0:latency=1`,
      `aresample=${SAMPLE_RATE}`,
      'aformat=sample_fmts=flt:channel_layouts=stereo',
    ].join(','),
    {},
  );
  const encoder = await Encoder.create(codec.encoder, {
    context: { bitRate: codec.bitRate },
    options: codec.options,
    autoFormat: true,
    autoResample: true,
  });
  const file = createMemoryFile();
  const muxer = await Muxer.open(file, { format: 'mp4', useSyncQueue: false });
  const stream = muxer.addStream(encoder);
  const drain = async (frame: Frame | null): Promise<void> => {
    for (const packet of await encoder.encodeAll(frame)) {
      await muxer.writePacket(packet, stream);
      packet.free();
    }
  };
  const feed = async (frame: Frame | null): Promise<void> => {
    for (const output of await filter.processAll(frame)) {
      await drain(output);
      output.free();
    }
    frame?.free();
  };
  let pts = 0;
  try {
    for await (const block of blocks) {
      await feed(frameOf(block, pts));
      pts += block.length / 2;
    }
    await feed(null);
    await drain(null);
  } finally {
    await muxer.close();
    encoder.close();
    filter.close();
  }
  return file.bytes();
}

function frameOf(samples: Float32Array, pts: number): Frame {
  const frame = Frame.fromAudioBuffer(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength), {
    nbSamples: samples.length / 2,
    format: AV_SAMPLE_FMT_FLT,
    sampleRate: SAMPLE_RATE,
    channelLayout: AV_CHANNEL_LAYOUT_STEREO,
    timeBase: { num: 1, den: SAMPLE_RATE },
  });
  frame.pts = BigInt(pts);
  return frame;
}
