import { initSegment } from '../../media/mp4/fragments.ts';
import { avcCodec } from '../../media/mp4/track.ts';
import type { StoredPart } from '../../storage/artifactStore.ts';
import { atOnce } from '../atOnce.ts';
import { videoTrack } from '../movie/mp4.ts';
import { PICTURES_AT_ONCE } from '../picturesAtOnce.ts';
import type { PlannedEntry } from '../plan/plan.ts';
import type { Render } from '../render.ts';
import { makeSegment } from './segment.ts';

export interface Segments {
  parts: StoredPart[];
  reused: number;
  /** From the start of the segments' stage to the first one, in seconds; absent where it was in the store. */
  firstSeconds?: number;
}

/** Makes the segments in playing order, some at a time. */
export async function makeSegments(render: Render): Promise<Segments> {
  const { plan, parts, slides, onProgress } = render;
  const started = performance.now();
  const result: Segments = { parts: [], reused: 0 };
  let done = 0;
  const make = async (i: number, { segment }: PlannedEntry): Promise<void> => {
    const { stored, reused } = await parts.make(segment, () => makeSegment(segment.content, i, slides));
    result.parts[i] = stored;
    if (reused) result.reused++;
    else if (i === 0) result.firstSeconds = (performance.now() - started) / 1000;
    done++;
    onProgress({ percent: 5 + Math.floor((80 * done) / plan.entries.length), stage: 'segments' });
  };
  // The first one has the cores for itself: whoever watches waits for it.
  const [first, ...others] = plan.entries;
  const init = plan.video.format === 'mp4' ? makeInit(render) : undefined;
  await Promise.all([init, first && make(0, first)]);
  await atOnce(others, PICTURES_AT_ONCE, (entry, i) => make(i + 1, entry));
  return result;
}

/** The header of the stream's fragments. */
async function makeInit({ plan, parts, slides }: Render): Promise<void> {
  await parts.make(plan.init, async () => {
    const track = videoTrack(await slides.still(0), plan.video);
    return { bytes: initSegment(track), meta: { codec: avcCodec(track) } };
  });
}
