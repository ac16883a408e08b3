import { yuvToRgb } from '../../media/frame.ts';
import { encodeJpeg, scalePicture } from '../../media/image.ts';
import type { StoredPart } from '../../storage/artifactStore.ts';
import type { PartMaker } from '../partMaker.ts';
import { type Plan, part } from '../plan.ts';
import type { Slides } from '../slides.ts';
import { createSheet, placeThumb, sheetLayout } from './storyboard.ts';

const POSTER_QUALITY = 88;
const SHEET_QUALITY = 78;

/** The first slide as a JPEG. */
export async function makePoster(plan: Plan, slides: Slides, parts: PartMaker): Promise<StoredPart> {
  const content = { slide: plan.slides[0]?.key, quality: POSTER_QUALITY };
  const { stored } = await parts.make(part('poster', content), async () => {
    const slide = await slides.get(0);
    return { bytes: await encodeJpeg({ ...slide, data: yuvToRgb(slide) }, POSTER_QUALITY) };
  });
  return stored;
}

/** Thumbnails of all slides on one sheet; made from the slides, so that no video is decoded for it. */
export async function makeStoryboard(plan: Plan, slides: Slides, parts: PartMaker): Promise<StoredPart> {
  const { width, height } = plan.video;
  const layout = sheetLayout(plan.slides.length, width, height);
  const content = { slides: plan.slides.map(({ key }) => key), layout, quality: SHEET_QUALITY };
  const { stored } = await parts.make(part('storyboard', content), async () => {
    const sheet = createSheet(layout);
    for (let i = 0; i < plan.slides.length; i++) {
      const slide = await slides.get(i);
      const thumb = await scalePicture(
        { ...slide, data: yuvToRgb(slide) },
        layout.thumbWidth,
        layout.thumbHeight,
      );
      placeThumb(sheet, layout, i, thumb);
    }
    return { bytes: await encodeJpeg(sheet, SHEET_QUALITY) };
  });
  return stored;
}
