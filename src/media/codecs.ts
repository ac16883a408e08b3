/*
 * What is encoded, and with which settings. The keys of parts contain them, so this module loads nothing native.
 */

export type VideoFormat = 'mp4' | 'webm';

export interface VideoSettings {
  format: VideoFormat;
  width: number;
  height: number;
  /** Frames a second; the time base of the stream is its inverse. */
  fps: number;
}

/**
 * The video encoders' options; they are part of every key that depends on them. All stills and segments of a preview share
 * them, so that their parameter sets (SPS, PPS) are equal and their pictures can be put into one sequence.
 *
 * x264: `stitchable` keeps the PPS from depending on the content (x264's common/set.c). B-frames are allowed, though
 * the encoder is never left to choose one: they bring the references, the wide order counts and the implicit weights that
 * h264/ needs for its fades; a pyramid of them, that a decoder waits for two pictures that are shown later. No lookahead, because the type of every picture is given.
 */
export const videoCodecs = {
  mp4: {
    crf: 23,
    preset: 'veryfast',
    'x264-params':
      'stitchable=1:keyint=infinite:scenecut=0:rc-lookahead=0:sync-lookahead=0:mbtree=0:ref=1:' +
      'bframes=16:b-adapt=0:b-pyramid=normal:weightb=1:weightp=0',
  },
  webm: { 'cpu-used': 7, crf: 31, deadline: 'realtime', 'lag-in-frames': 0 },
} as const;

/** Ticks a second of a track with that many frames a second; as FFmpeg chooses it for such a rate. */
export const timescaleOf = ({ fps }: VideoSettings): number => fps * 512;

/** Everything is mixed as interleaved stereo, 32-bit float, at this rate (hertz). */
export const SAMPLE_RATE = 48_000;

/**
 * The audio encoders' settings; they are part of the soundtrack's key. `frameSamples` is what the encoder takes at a time,
 * `priming` how many samples it puts before the sound (aacenc.c; OpusHead's pre-skip), `config` what the decoder is told
 * (AudioSpecificConfig: AAC LC, 48 kHz, two channels; OpusHead of RFC 7845).
 */
export const audioCodecs = {
  mp4: {
    codec: 'aac',
    encoder: 'aac',
    bitRate: 160_000,
    options: { aac_coder: 'fast' },
    frameSamples: 1024,
    priming: 1024,
    config: '1190',
    layout: 'planar',
  },
  webm: {
    codec: 'opus',
    encoder: 'libopus',
    bitRate: 128_000,
    options: {},
    frameSamples: 960,
    priming: 312,
    config: '4f707573486561640102380180bb0000000000',
    layout: 'packed',
  },
} as const;
