import { box, fullBox, text, u8, u32, u64, zeros } from './boxes.ts';
import { editList, movieHeader, priming, type Sample, type Track, trackBox } from './track.ts';

/** What the index of a file says of a sample. */
export interface IndexedSample extends Omit<Sample, 'data'> {
  size: number;
}

export const indexed = (samples: readonly Sample[]): IndexedSample[] =>
  samples.map(({ data, ...sample }) => ({ ...sample, size: data.length }));

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
