/**
 * Writes and reads the few boxes of ISO/IEC 14496-12 that a preview is made of. Segments are fragments (`moof` + `mdat`)
 * that do not know their place in the preview. The finished file has the same samples, with one index at the front. This is
 * done by hand, because opening a muxer and a demuxer of libavformat for each segment cost more than encoding it.
 */
import { box, boxes, fullBox, text, u32, u64, zeros } from './boxes.ts';
import { editList, movieHeader, priming, type Sample, type Track, trackBox } from './track.ts';
import { boxesIn } from './walkBoxes.ts';

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
  let offset = 0;
  for (const { type, at, length } of boxesIn(file)) {
    const end = at + length;
    if (type === 'moof') offset = at;
    else if (type === 'mdat') {
      const samples = readFragments(file.subarray(offset, end));
      const duration = samples.reduce((sum, sample) => sum + sample.duration, 0);
      fragments.push({ offset, length: end - offset, duration });
    } else if (fragments.length === 0) header = end;
  }
  return { init: { offset: 0, length: header }, fragments };
}

/** NAL units as a sample: each behind its length. */
export const nalsToSample = (nals: readonly Buffer[]): Buffer =>
  Buffer.concat(nals.flatMap((nal) => [u32(nal.length), nal]));
