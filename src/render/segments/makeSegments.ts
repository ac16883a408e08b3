import { atOnce } from '../../concurrency/atOnce.ts';
import { initSegment } from '../../media/mp4/fragments.ts';
import { avcCodec } from '../../media/mp4/track.ts';
import type { StoredPart } from '../../storage/artifactStore.ts';
import { PICTURES_AT_ONCE } from '../picturesAtOnce.ts';
import type { Plan, PlannedEntry } from '../plan/plan.ts';
import type { Workbench } from '../workbench.ts';
import { makeSegment, type SegmentBench } from './segment.ts';
import { firstStill, videoTrack } from './still.ts';

export interface Segments {
  /** In playing order. */
  stored: StoredPart[];
  reused: number;
  /** From the start of the segments' stage to the first one, in seconds; absent where it was in the store. */
  firstSeconds?: number;
}

/** Makes the segments in playing order, some at a time. */
export async function makeSegments(
  plan: Plan,
  bench: SegmentBench & Pick<Workbench, 'onProgress'>,
): Promise<Segments> {
  const { entries, video } = plan;
  const started = performance.now();
  const result: Segments = { stored: [], reused: 0 };
  let done = 0;
  const make = async (i: number, entry: PlannedEntry): Promise<void> => {
    const { stored, reused } = await bench.parts.make(entry.segment, () =>
      makeSegment(entry, entries[i + 1], bench),
    );
    result.stored[i] = stored;
    if (reused) result.reused++;
    else if (i === 0) result.firstSeconds = (performance.now() - started) / 1000;
    done++;
    bench.onProgress({ percent: 5 + Math.floor((80 * done) / entries.length), stage: 'segments' });
  };
  // The first one has the cores for itself: whoever watches waits for it.
  const [first, ...others] = entries;
  await Promise.all([video.format === 'mp4' ? makeInit(plan, bench) : undefined, make(0, first)]);
  await atOnce(others, PICTURES_AT_ONCE, (entry, i) => make(i + 1, entry));
  return result;
}

/** The header of the stream's fragments. */
async function makeInit({ init, entries, video }: Plan, bench: SegmentBench): Promise<void> {
  await bench.parts.make(init, async () => {
    const track = videoTrack(await firstStill(entries, bench), video);
    return { bytes: initSegment(track), meta: { codec: avcCodec(track) } };
  });
}
