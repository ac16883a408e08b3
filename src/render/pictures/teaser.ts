import { yuvToRgb } from '../../media/picture/convert.ts';
import type { RgbPicture } from '../../media/picture/image.ts';
import { encodeAnimation } from '../../media/picture/webpAnimation.ts';
import type { StoredPart } from '../../storage/artifactStore.ts';
import type { PartMaker } from '../parts/partMaker.ts';
import { type Plan, part } from '../plan/plan.ts';
import { shownPictures } from '../segments/segment.ts';
import type { Slides } from '../slides/slides.ts';

const SECONDS = 5;
const WIDTH = 480;
/** Pictures a second at most: motion is still read as motion, and the file stays small. */
const RATE = 12;
const QUALITY = 70;

/** The first seconds as an animated WebP; what stands still is one picture in it, however long. */
export async function makeTeaser(plan: Plan, slides: Slides, parts: PartMaker): Promise<StoredPart> {
  const { width, height, fps } = plan.video;
  const small = { width: WIDTH, height: 2 * Math.round((WIDTH * height) / width / 2) };
  const limit = SECONDS * fps;
  const segments: string[] = [];
  for (let frames = 0, i = 0; frames < limit && i < plan.entries.length; i++) {
    const { segment, slides: held } = plan.entries[i] as Plan['entries'][number];
    segments.push(segment.key);
    frames += held.reduce((sum, slide) => sum + slide.frames, segment.content.exit?.frames ?? 0);
  }
  const content = { segments, limit, rate: RATE, quality: QUALITY, ...small };
  const { stored } = await parts.make(part('teaser', content), async () => {
    const pictures: RgbPicture[] = [];
    const delays: number[] = [];
    let shown = 0;
    const step = fps / RATE;
    for (let i = 0; i < segments.length; i++) {
      for await (const { picture, frames } of shownPictures(plan, i, slides)) {
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
