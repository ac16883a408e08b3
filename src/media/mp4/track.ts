import { box, fullBox, text, u8, u16, u32, u64, zeros } from './boxes.ts';

/** One access unit. Times are in units of the track's timescale. */
export interface Sample {
  data: Buffer;
  duration: number;
  /** From decoding to composition; negative for a picture that is decoded after one that is shown later. */
  offset: number;
  sync: boolean;
}

export type Track = VideoTrack | AudioTrack;

export interface VideoTrack {
  kind: 'video';
  timescale: number;
  width: number;
  height: number;
  /** AVCDecoderConfigurationRecord (ISO/IEC 14496-15). */
  avcC: Buffer;
}

export interface AudioTrack {
  kind: 'audio';
  codec: 'aac' | 'opus';
  timescale: number;
  channels: number;
  bitRate: number;
  /** AudioSpecificConfig (ISO/IEC 14496-3), OpusHead (RFC 7845). */
  config: Buffer;
  /** Samples that the encoder puts before the sound. */
  priming: number;
}

export const priming = (track: Track): number => (track.kind === 'audio' ? track.priming : 0);

/** The unity matrix of mvhd and tkhd, in 16.16 and 2.30 fixed point. */
const MATRIX = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);
/** `und`, five bits a letter. */
const LANGUAGE = 0x55c4;

export const movieHeader = (timescale: number, duration: number, nextTrack: number): Buffer =>
  fullBox(
    'mvhd',
    1,
    0,
    u64(0, 0),
    u32(timescale),
    u64(duration),
    u32(0x10000),
    u16(0x100, 0),
    zeros(8),
    MATRIX,
    zeros(24),
    u32(nextTrack),
  );

/** One edit: the track begins `mediaTime` into its media. */
export const editList = (duration: number, mediaTime: number): Buffer =>
  box('edts', fullBox('elst', 1, 0, u32(1), u64(duration, mediaTime), u16(1, 0)));

export function trackBox(
  track: Track,
  id: number,
  { duration, mediaDuration = 0, edit }: { duration: number; mediaDuration?: number; edit: Buffer },
  tables: Buffer[],
): Buffer {
  const video = track.kind === 'video';
  const size = video ? u32(track.width * 0x10000, track.height * 0x10000) : u32(0, 0);
  const handler = video ? text('vide') : text('soun');
  return box(
    'trak',
    fullBox(
      'tkhd',
      1,
      3,
      u64(0, 0),
      u32(id, 0),
      u64(duration),
      zeros(8),
      u16(0, video ? 0 : 1, video ? 0 : 0x100, 0),
      MATRIX,
      size,
    ),
    edit,
    box(
      'mdia',
      fullBox('mdhd', 1, 0, u64(0, 0), u32(track.timescale), u64(mediaDuration), u16(LANGUAGE, 0)),
      fullBox('hdlr', 0, 0, u32(0), handler, zeros(12), text(video ? 'Video\0' : 'Sound\0')),
      box(
        'minf',
        video ? fullBox('vmhd', 0, 1, zeros(8)) : fullBox('smhd', 0, 0, zeros(4)),
        box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1))),
        box('stbl', fullBox('stsd', 0, 0, u32(1), video ? videoEntry(track) : audioEntry(track)), ...tables),
      ),
    ),
  );
}

function videoEntry({ width, height, avcC }: VideoTrack): Buffer {
  // BT.709 primaries, transfer and matrix in the limited range, as in the stream itself.
  const colour = box('colr', text('nclx'), u16(1, 1, 1), u8(0));
  const dotsPerInch = u32(0x480000, 0x480000);
  return box(
    'avc1',
    zeros(6),
    u16(1),
    zeros(16),
    u16(width, height),
    dotsPerInch,
    u32(0),
    u16(1),
    zeros(32),
    u16(0x18, 0xffff),
    box('avcC', avcC),
    colour,
    box('pasp', u32(1, 1)),
  );
}

function audioEntry({ codec, channels, timescale, bitRate, config }: AudioTrack): Buffer {
  const entry = [zeros(6), u16(1), zeros(8), u16(channels, 16), zeros(4), u32(timescale * 0x10000)];
  return codec === 'aac'
    ? box('mp4a', ...entry, elementaryStream(bitRate, config))
    : box('Opus', ...entry, opusConfiguration(config));
}

function elementaryStream(bitRate: number, config: Buffer): Buffer {
  const descriptor = (tag: number, ...content: Buffer[]): Buffer => {
    const bytes = Buffer.concat(content);
    return Buffer.concat([u8(tag, 0x80, 0x80, 0x80, bytes.length), bytes]);
  };
  // Object type 0x40: MPEG-4 audio; stream type 5: audio (ISO/IEC 14496-1, tables 5 and 6).
  const decoder = descriptor(
    4,
    u8(0x40, (5 << 2) | 1, 0, 0, 0),
    u32(bitRate, bitRate),
    descriptor(5, config),
  );
  return fullBox('esds', 0, 0, descriptor(3, u16(1), u8(0), decoder, descriptor(6, u8(2))));
}

/** `dOps` of "Encapsulation of Opus in ISO Base Media": what OpusHead says, but big-endian. */
function opusConfiguration(head: Buffer): Buffer {
  const channels = head[9] as number;
  return box('dOps', u8(0, channels), u16(head.readUInt16LE(10)), u32(head.readUInt32LE(12)), u16(0), u8(0));
}

/** AVCDecoderConfigurationRecord for four-byte lengths (ISO/IEC 14496-15, 5.3.3.1). */
export function avcConfiguration(sps: Buffer, pps: Buffer): Buffer {
  const high = (sps[1] as number) >= 100 ? u8(0xfc | 1, 0xf8, 0xf8, 0) : zeros(0);
  return Buffer.concat([
    u8(1, sps[1] as number, sps[2] as number, sps[3] as number, 0xff, 0xe1),
    u16(sps.length),
    sps,
    u8(1),
    u16(pps.length),
    pps,
    high,
  ]);
}

/** The codec as browsers are asked for it (RFC 6381): profile, constraints and level of the sequence parameter set. */
export const avcCodec = ({ avcC }: VideoTrack): string => `avc1.${avcC.toString('hex', 1, 4)}`;
