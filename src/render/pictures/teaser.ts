import { yuvToRgb } from '../../media/picture/convert.ts';
import type { RgbPicture } from '../../media/picture/image.ts';
import { encodeAnimation } from '../../media/picture/webpAnimation.ts';
import type { StoredPart } from '../../storage/artifactStore.ts';
import { part } from '../parts/part.ts';
import type { Plan, PlannedEntry } from '../plan/plan.ts';
import { showWithTransition } from '../shown/showWithTransition.ts';
import type { Workbench } from '../workbench.ts';

const SECONDS = 5;
const WIDTH = 480;
/** Pictures a second at most: motion is still read as motion, and the file stays small. */
const RATE = 12;
const QUALITY = 70;

/** The first seconds as an animated WebP; what stands still is one picture in it, however long. */
export async function makeTeaser(
  { entries, video }: Plan,
  { parts, slides, signal }: Pick<Workbench, 'parts' | 'slides' | 'signal'>,
): Promise<StoredPart> {
  const { width, height, fps } = video;
  const small = { width: WIDTH, height: 2 * Math.round((WIDTH * height) / width / 2) };
  const limit = SECONDS * fps;
  const shownFirst = entriesWithin(entries, limit);
  const segments = shownFirst.map(({ segment }) => segment.key);
  const content = { segments, limit, rate: RATE, quality: QUALITY, ...small };
  const { stored } = await parts.make(part('teaser', content), async () => {
    const pictures: RgbPicture[] = [];
    const delays: number[] = [];
    let shown = 0;
    const step = fps / RATE;
    for (const [i, entry] of shownFirst.entries()) {
      for await (const { picture, frames } of showWithTransition(entry, entries[i + 1], slides, signal)) {
        const lasts = Math.min(frames, limit - shown);
        // Of pictures that follow each other faster than the rate, only some are taken.
        if (Math.floor(shown / step) !== Math.floor((shown + lasts) / step)) {
          pictures.push(await yuvToRgb(picture, small.width, small.height));
          delays.push(shown + lasts);
        }
        shown += lasts;
        if (shown >= limit) break;
      }
    }
    const ends = delays.map((end) => Math.round((end * 1000) / fps));
    const bytes = await encodeAnimation(
      pictures,
      ends.map((end, i) => end - (ends[i - 1] ?? 0)),
      QUALITY,
    );
    return { bytes };
  });
  return stored;
}

/** The entries that are on the screen during the first `limit` frames. */
function entriesWithin(entries: readonly PlannedEntry[], limit: number): PlannedEntry[] {
  let frames = 0;
  return entries.filter(({ segment, slides }) => {
    const isWithin = frames < limit;
    frames += slides.reduce((sum, slide) => sum + slide.frames, segment.content.exit?.frames ?? 0);
    return isWithin;
  });
}
