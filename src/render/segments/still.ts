import { timescaleOf, type VideoSettings } from '../../media/codecs.ts';
import { readParameterSets } from '../../media/h264/stills.ts';
import { avcConfiguration, type VideoTrack } from '../../media/mp4/track.ts';
import { makeThumbnail } from '../pictures/thumbnail.ts';
import type { PlannedEntry, PlannedSlide } from '../plan/plan.ts';
import type { Workbench } from '../workbench.ts';

/**
 * A slide that stands, in H.264: parameter sets and an IDR picture (annex B); where words leave or come in a fade a P
 * picture follows, which is the same without them.
 */
export async function makeStill(
  slide: PlannedSlide,
  entry: PlannedEntry,
  bench: Pick<Workbench, 'parts' | 'slides' | 'encoder'>,
): Promise<Buffer> {
  const { parts, slides, encoder } = bench;
  return parts.bytes(slide.still, async () => {
    const { picture, wordless } = await slides.compose(slide);
    const shown = slide.still.content.wordless ? [picture(), wordless()] : [picture()];
    // The thumbnail is made now, while the slide is at hand.
    const [coded] = await Promise.all([encoder.encodeStill(shown), makeThumbnail(entry, bench)]);
    return { bytes: Buffer.concat([coded.parameters, ...coded.frames]) };
  });
}

/** The still that a preview begins with. */
export const firstStill = (
  [entry]: readonly [PlannedEntry, ...PlannedEntry[]],
  bench: Pick<Workbench, 'parts' | 'slides' | 'encoder'>,
): Promise<Buffer> => makeStill(entry.slides[0], entry, bench);

/** The video track of a preview, of which `still` is any: all have the same parameter sets. */
export function videoTrack(still: Buffer, video: VideoSettings): VideoTrack {
  const { sps, pps } = readParameterSets(still);
  const { width, height } = video;
  return { kind: 'video', timescale: timescaleOf(video), width, height, avcC: avcConfiguration(sps, pps) };
}
