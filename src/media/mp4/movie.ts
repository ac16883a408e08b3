import { box, fullBox, text, u8, u32, u32List, u64, u64List, zeros } from './boxes.ts';
import { editList, movieHeader, priming, type Sample, type Track, trackBox } from './track.ts';

/** What the index of a file says of a sample. */
export interface IndexedSample extends Omit<Sample, 'data'> {
  size: number;
}

export const indexed = (samples: readonly Sample[]): IndexedSample[] =>
  samples.map(({ data, duration, offset, sync }) => ({ duration, offset, sync, size: data.length }));

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
  const sizes = tracks.map(({ chunks }) => chunks.map(bytesOf));
  const total = sizes.flat().reduce((sum, size) => sum + size, 0);
  const mdat =
    total + 8 < 2 ** 32
      ? Buffer.concat([u32(total + 8), text('mdat')])
      : Buffer.concat([u32(1), text('mdat'), u64(total + 16)]);
  const described = tracks.map(describe);
  const moovAt = (dataStart: number): Buffer => moov(described, chunkOffsets(sizes, dataStart), details);
  // Offsets are 64 bits wide, so the index is as long with any of them.
  const dataStart = ftyp.length + moovAt(0).length + mdat.length;
  return Buffer.concat([ftyp, moovAt(dataStart), mdat]);
}

function bytesOf(samples: readonly IndexedSample[]): number {
  let sum = 0;
  for (const { size } of samples) sum += size;
  return sum;
}

/** Where each chunk that is not empty begins. */
function chunkOffsets(sizes: readonly (readonly number[])[], dataStart: number): number[][] {
  const offsets = sizes.map((): number[] => []);
  let at = dataStart;
  for (let chunk = 0; chunk < Math.max(0, ...sizes.map(({ length }) => length)); chunk++) {
    for (const [track, of] of sizes.entries()) {
      const size = of[chunk] ?? 0;
      if (size > 0) offsets[track]?.push(at);
      at += size;
    }
  }
  return offsets;
}

/** A track but for where its chunks lie. Durations and `delay` are in units of its timescale. */
interface DescribedTrack {
  track: Track;
  duration: number;
  delay: number;
  tables: Buffer[];
}

function describe({ track, chunks }: IndexedTrack): DescribedTrack {
  const samples = chunks.flat();
  let [duration, delay] = [0, 0];
  for (const sample of samples) {
    duration += sample.duration;
    // Composition must not come before decoding in this table, so that all is shown later and an edit takes it back.
    delay = Math.max(delay, -sample.offset);
  }
  return { track, duration, delay, tables: sampleTables(samples, chunks, delay) };
}

function moov(
  tracks: readonly DescribedTrack[],
  offsets: readonly number[][],
  details: MovieDetails,
): Buffer {
  const timescale = tracks[0]?.track.timescale ?? 1000;
  const shown = tracks.map(({ track, duration: decoded, delay, tables }, i) => {
    const skipped = delay + priming(track);
    const duration = Math.round(((decoded - priming(track)) * timescale) / track.timescale);
    const edit = skipped > 0 ? editList(duration, skipped) : zeros(0);
    const chunks = offsets[i] ?? [];
    const co64 = fullBox('co64', 0, 0, u32(chunks.length), u64List(chunks));
    const times = { duration, edit, mediaDuration: decoded };
    return { duration, box: trackBox(track, i + 1, times, [...tables, co64]) };
  });
  const duration = Math.max(0, ...shown.map((track) => track.duration));
  return box(
    'moov',
    movieHeader(timescale, duration, tracks.length + 1),
    ...shown.map((track) => track.box),
    userData(details),
  );
}

/** What the index says of the samples, but for where their chunks lie. */
function sampleTables(
  samples: readonly IndexedSample[],
  chunks: readonly (readonly IndexedSample[])[],
  delay: number,
): Buffer[] {
  const durations = runs(samples.map(({ duration }) => duration));
  const compositions = runs(samples.map(({ offset }) => offset + delay));
  const hasCompositions = compositions.some(([, offset]) => offset !== 0);
  const syncs = samples.flatMap(({ sync }, i) => (sync ? [i + 1] : []));
  const perChunk = runs(chunks.filter(({ length }) => length > 0).map(({ length }) => length));
  let chunk = 1;
  const chunkRuns = perChunk.flatMap(([count, length]) => {
    const entry = [chunk, length, 1];
    chunk += count;
    return entry;
  });
  return [
    fullBox('stts', 0, 0, u32(durations.length), u32List(durations.flat())),
    ...(hasCompositions
      ? [fullBox('ctts', 0, 0, u32(compositions.length), u32List(compositions.flat()))]
      : []),
    ...(syncs.length < samples.length ? [fullBox('stss', 0, 0, u32(syncs.length), u32List(syncs))] : []),
    fullBox('stsc', 0, 0, u32(perChunk.length), u32List(chunkRuns)),
    fullBox('stsz', 0, 0, u32(0, samples.length), u32List(samples.map(({ size }) => size))),
  ];
}

/** Run-length coding: how often each value follows itself. */
function runs(values: readonly number[]): [count: number, value: number][] {
  const found: [number, number][] = [];
  let last: [number, number] | undefined;
  for (const value of values) {
    if (last?.[1] === value) last[0]++;
    else {
      last = [1, value];
      found.push(last);
    }
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
