/**
 * Writes and reads the few boxes of ISO/IEC 14496-12 that a preview is made of. Segments are fragments (`moof` + `mdat`)
 * that know nothing of their place in the preview; the finished file is made of the same samples with one index at the
 * front. By hand, because opening a muxer and a demuxer of libavformat for each segment cost more than encoding it.
 */

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

const u8 = (...values: number[]): Buffer => Buffer.from(values);
const u16 = (...values: number[]): Buffer => {
  const out = Buffer.allocUnsafe(values.length * 2);
  for (const [i, value] of values.entries()) out.writeUInt16BE(value, i * 2);
  return out;
};
const u32 = (...values: number[]): Buffer => {
  const out = Buffer.allocUnsafe(values.length * 4);
  for (const [i, value] of values.entries()) out.writeUInt32BE(value >>> 0, i * 4);
  return out;
};
const u64 = (...values: number[]): Buffer => {
  const out = Buffer.allocUnsafe(values.length * 8);
  for (const [i, value] of values.entries()) out.writeBigUInt64BE(BigInt(value), i * 8);
  return out;
};
const text = (value: string): Buffer => Buffer.from(value, 'latin1');

function box(type: string, ...content: Buffer[]): Buffer {
  const size = content.reduce((sum, part) => sum + part.length, 8);
  return Buffer.concat([u32(size), text(type), ...content], size);
}

const fullBox = (type: string, version: number, flags: number, ...content: Buffer[]): Buffer =>
  box(type, u32((version << 24) | flags), ...content);

const zeros = (count: number): Buffer => Buffer.alloc(count);
/** The unity matrix of mvhd and tkhd, in 16.16 and 2.30 fixed point. */
const MATRIX = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);
/** `und`, five bits a letter. */
const LANGUAGE = 0x55c4;

/** What a player needs before the first fragment of a track. */
export function initSegment(track: Track): Buffer {
  const empty = [
    fullBox('stts', 0, 0, u32(0)),
    fullBox('stsc', 0, 0, u32(0)),
    fullBox('stsz', 0, 0, u32(0, 0)),
    fullBox('stco', 0, 0, u32(0)),
  ];
  return Buffer.concat([
    box('ftyp', text('iso6'), u32(0), text('iso6'), text('mp41')),
    box(
      'moov',
      movieHeader(track.timescale, 0, 2),
      trackBox(track, 1, { duration: 0, edit: editList(0, priming(track)) }, empty),
      box('mvex', fullBox('trex', 0, 0, u32(1, 1, 0, 0, 0))),
    ),
  ]);
}

const priming = (track: Track): number => (track.kind === 'audio' ? track.priming : 0);

/** The samples as one fragment, whose first sample is decoded at `time`. */
export function fragment(samples: readonly Sample[], time = 0): Buffer {
  const entries = samples.map(({ data, duration, offset, sync }) =>
    u32(duration, data.length, sync ? SYNC : NOT_SYNC, offset),
  );
  const moof = (dataOffset: number): Buffer =>
    box(
      'moof',
      fullBox('mfhd', 0, 0, u32(1)),
      box(
        'traf',
        fullBox('tfhd', 0, DEFAULT_BASE_IS_MOOF, u32(1)),
        fullBox('tfdt', 1, 0, u64(time)),
        fullBox('trun', 1, TRUN_ALL, u32(samples.length, dataOffset), ...entries),
      ),
    );
  const head = moof(moof(0).length + 8);
  return Buffer.concat([head, box('mdat', ...samples.map(({ data }) => data))]);
}

const DEFAULT_BASE_IS_MOOF = 0x020000;
/** Data offset, and for each sample duration, size, flags, composition offset. */
const TRUN_ALL = 0x000f01;
/** sample_depends_on: no other; and others, with sample_is_non_sync_sample. */
const SYNC = 0x02000000;
const NOT_SYNC = 0x01010000;

/** The same fragments, moved so that the first sample is decoded at `time`; times within them stay as they are. */
export function moveFragments(fragments: Buffer, time: number): Buffer {
  const moved = Buffer.from(fragments);
  let first: number | undefined;
  for (const moof of boxes(moved, 'moof')) {
    const at = timeOf(moof);
    first ??= Number(at.readBigUInt64BE());
    at.writeBigUInt64BE(BigInt(Number(at.readBigUInt64BE()) - first + time));
  }
  return moved;
}

/** The eight bytes of tfdt, version 1. */
function timeOf(moof: Buffer): Buffer {
  const [traf] = boxes(moof, 'traf');
  const [tfdt] = boxes(traf ?? zeros(0), 'tfdt');
  if (tfdt?.[0] !== 1) throw new Error('the fragment has no time');
  return tfdt.subarray(4, 12);
}

/** The samples of fragments that {@link fragment} wrote; their data are views, not copies. */
export function readFragments(fragments: Buffer): Sample[] {
  const samples: Sample[] = [];
  const moofs = boxes(fragments, 'moof');
  for (const [i, mdat] of boxes(fragments, 'mdat').entries()) {
    const [traf] = boxes(moofs[i] ?? zeros(0), 'traf');
    const [trun] = boxes(traf ?? zeros(0), 'trun');
    if (trun?.readUInt32BE() !== ((1 << 24) | TRUN_ALL)) throw new Error('the fragment is not one of ours');
    let data = 0;
    for (let at = 12; at < trun.length; at += 16) {
      const size = trun.readUInt32BE(at + 4);
      samples.push({
        data: mdat.subarray(data, data + size),
        duration: trun.readUInt32BE(at),
        sync: trun.readUInt32BE(at + 8) === SYNC,
        offset: trun.readInt32BE(at + 12),
      });
      data += size;
    }
  }
  return samples;
}

export interface FragmentRange {
  offset: number;
  length: number;
  /** In units of the track's timescale. */
  duration: number;
}

/** Where in a file of fragments the header and each fragment lie. */
export function fragmentRanges(file: Buffer): {
  init: { offset: 0; length: number };
  fragments: FragmentRange[];
} {
  const fragments: FragmentRange[] = [];
  let header = 0;
  for (let at = 0; at + 8 <= file.length; at += Math.max(8, file.readUInt32BE(at))) {
    const length = file.readUInt32BE(at);
    const type = file.toString('latin1', at + 4, at + 8);
    if (type === 'moof') {
      const both = length + file.readUInt32BE(at + length);
      const samples = readFragments(file.subarray(at, at + both));
      const duration = samples.reduce((sum, sample) => sum + sample.duration, 0);
      fragments.push({ offset: at, length: both, duration });
    } else if (fragments.length === 0) header = at + length;
  }
  return { init: { offset: 0, length: header }, fragments };
}

/** The contents of all boxes of a type, at the top level of `bytes`. */
function boxes(bytes: Buffer, type: string): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at + 8 <= bytes.length; at += Math.max(8, bytes.readUInt32BE(at))) {
    if (bytes.toString('latin1', at + 4, at + 8) !== type) continue;
    found.push(bytes.subarray(at + 8, at + bytes.readUInt32BE(at)));
  }
  return found;
}

/** What the index of a file says of a sample. */
export interface IndexedSample extends Omit<Sample, 'data'> {
  size: number;
}

export interface IndexedTrack {
  track: Track;
  /** The samples of each chunk; a chunk's samples lie in the file one after the other. */
  chunks: readonly (readonly IndexedSample[])[];
}

export interface MovieDetails {
  title?: string | undefined;
  chapters: readonly { startSeconds: number; title: string }[];
}

/**
 * Everything of a file but its data: `ftyp` and `moov`, and the head of `mdat`. The data follow as the first chunk of
 * each track, then the second of each, and so on.
 */
export function movieHead(tracks: readonly IndexedTrack[], details: MovieDetails): Buffer {
  const ftyp = box('ftyp', text('isom'), u32(512), text('isom'), text('iso2'), text('avc1'), text('mp41'));
  const sizes = tracks.map(({ chunks }) =>
    chunks.map((chunk) => chunk.reduce((sum, { size }) => sum + size, 0)),
  );
  const total = sizes.flat().reduce((sum, size) => sum + size, 0);
  const mdat =
    total + 8 < 2 ** 32
      ? Buffer.concat([u32(total + 8), text('mdat')])
      : Buffer.concat([u32(1), text('mdat'), u64(total + 16)]);
  const moovAt = (dataStart: number): Buffer => moov(tracks, chunkOffsets(sizes, dataStart), details);
  // Offsets are 64 bits wide, so the index is as long with any of them.
  const dataStart = ftyp.length + moovAt(0).length + mdat.length;
  return Buffer.concat([ftyp, moovAt(dataStart), mdat]);
}

function chunkOffsets(sizes: readonly (readonly number[])[], dataStart: number): number[][] {
  const offsets = sizes.map((): number[] => []);
  let at = dataStart;
  for (let chunk = 0; chunk < Math.max(0, ...sizes.map(({ length }) => length)); chunk++) {
    for (const [track, of] of sizes.entries()) {
      const size = of[chunk];
      if (size === undefined) continue;
      offsets[track]?.push(at);
      at += size;
    }
  }
  return offsets;
}

function moov(tracks: readonly IndexedTrack[], offsets: readonly number[][], details: MovieDetails): Buffer {
  const timescale = tracks[0]?.track.timescale ?? 1000;
  const described = tracks.map(({ track, chunks }, i) => {
    const samples = chunks.flat();
    const decoded = samples.reduce((sum, { duration }) => sum + duration, 0);
    // Composition must not come before decoding in this table, so that all is shown later and an edit takes it back.
    const delay = Math.max(0, ...samples.map(({ offset }) => -offset));
    const skipped = delay + priming(track);
    const duration = Math.round(((decoded - priming(track)) * timescale) / track.timescale);
    const edit = skipped > 0 ? editList(duration, skipped) : zeros(0);
    return {
      duration,
      box: trackBox(
        track,
        i + 1,
        { duration, edit, mediaDuration: decoded },
        sampleTables(samples, chunks, offsets[i] ?? [], delay),
      ),
    };
  });
  const duration = Math.max(0, ...described.map((track) => track.duration));
  return box(
    'moov',
    movieHeader(timescale, duration, tracks.length + 1),
    ...described.map((track) => track.box),
    userData(details),
  );
}

const movieHeader = (timescale: number, duration: number, nextTrack: number): Buffer =>
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
const editList = (duration: number, mediaTime: number): Buffer =>
  box('edts', fullBox('elst', 1, 0, u32(1), u64(duration, mediaTime), u16(1, 0)));

function trackBox(
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

function sampleTables(
  samples: readonly IndexedSample[],
  chunks: readonly (readonly IndexedSample[])[],
  offsets: readonly number[],
  delay: number,
): Buffer[] {
  const durations = runs(samples.map(({ duration }) => duration));
  const compositions = runs(samples.map(({ offset }) => offset + delay));
  const hasCompositions = compositions.some(([, offset]) => offset !== 0);
  const syncs = samples.flatMap(({ sync }, i) => (sync ? [i + 1] : []));
  const perChunk = runs(chunks.filter(({ length }) => length > 0).map(({ length }) => length));
  const filled = offsets.filter((_, i) => (chunks[i]?.length ?? 0) > 0);
  let chunk = 1;
  const chunkRuns = perChunk.map(([count, length]) => {
    const entry = u32(chunk, length, 1);
    chunk += count;
    return entry;
  });
  return [
    fullBox('stts', 0, 0, u32(durations.length), ...durations.map((run) => u32(...run))),
    ...(hasCompositions
      ? [fullBox('ctts', 0, 0, u32(compositions.length), ...compositions.map((run) => u32(...run)))]
      : []),
    ...(syncs.length < samples.length ? [fullBox('stss', 0, 0, u32(syncs.length, ...syncs))] : []),
    fullBox('stsc', 0, 0, u32(chunkRuns.length), ...chunkRuns),
    fullBox('stsz', 0, 0, u32(0, samples.length, ...samples.map(({ size }) => size))),
    fullBox('co64', 0, 0, u32(filled.length), u64(...filled)),
  ];
}

/** Run-length coding: how often each value follows itself. */
function runs(values: readonly number[]): [count: number, value: number][] {
  const found: [number, number][] = [];
  for (const value of values) {
    const last = found.at(-1);
    if (last?.[1] === value) last[0]++;
    else found.push([1, value]);
  }
  return found;
}

/** Title (iTunes metadata, as players read it) and chapters (`chpl`, as Nero introduced it: 100 ns, at most 255). */
function userData({ title, chapters }: MovieDetails): Buffer {
  const content: Buffer[] = [];
  if (title) {
    const data = box('data', u32(1, 0), Buffer.from(title));
    const handler = fullBox('hdlr', 0, 0, u32(0), text('mdir'), text('appl'), zeros(9));
    content.push(fullBox('meta', 0, 0, handler, box('ilst', box('\u00a9nam', data))));
  }
  if (chapters.length > 0) {
    const kept = chapters.slice(0, 255);
    const entries = kept.map((chapter) => {
      const name = shortened(chapter.title, 255);
      return Buffer.concat([u64(Math.round(chapter.startSeconds * 1e7)), u8(name.length), name]);
    });
    content.push(fullBox('chpl', 1, 0, u32(0), u8(kept.length), ...entries));
  }
  return content.length > 0 ? box('udta', ...content) : zeros(0);
}

/** UTF-8 of at most `length` bytes, never cut inside a character. */
function shortened(words: string, length: number): Buffer {
  let bytes = Buffer.from(words);
  for (let kept = [...words]; bytes.length > length; bytes = Buffer.from(kept.join('')))
    kept = kept.slice(0, -1);
  return bytes;
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

/** NAL units as a sample: each behind its length. */
export const nalsToSample = (nals: readonly Buffer[]): Buffer =>
  Buffer.concat(nals.flatMap((nal) => [u32(nal.length), nal]));
