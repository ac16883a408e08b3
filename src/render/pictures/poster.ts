import { yuvToRgb } from '../../media/picture/convert.ts';
import { encodeJpeg } from '../../media/picture/image.ts';
import type { StoredPart } from '../../storage/artifactStore.ts';
import { atOnce } from '../atOnce.ts';
import type { PartMaker } from '../parts/partMaker.ts';
import { type Plan, part } from '../plan/plan.ts';
import type { Slides } from '../slides/slides.ts';
import { createSheet, placeThumb, sheetLayout } from './thumbnailSheet.ts';

const POSTER_QUALITY = 88;
const SHEET_QUALITY = 78;
/** Thumbnails at a time. Most are there and only read; where no segments are made, each has its slide composed first. */
const THUMBS_AT_ONCE = 8;

/** The first slide as a JPEG. */
export async function makePoster(plan: Plan, slides: Slides, parts: PartMaker): Promise<StoredPart> {
  const content = { slide: plan.entries[0]?.slides[0]?.key, quality: POSTER_QUALITY };
  const { stored } = await parts.make(part('poster', content), async () => ({
    bytes: await encodeJpeg(await yuvToRgb((await slides.first(0)).picture()), POSTER_QUALITY),
  }));
  return stored;
}

/** Thumbnails of all slides on one sheet; made from the slides, so that no video is decoded for it. */
export async function makeStoryboard(plan: Plan, slides: Slides, parts: PartMaker): Promise<StoredPart> {
  const layout = sheetLayout(plan.entries.length, plan.video);
  const content = { thumbs: plan.entries.map(({ thumb }) => thumb.key), layout, quality: SHEET_QUALITY };
  const { stored } = await parts.make(part('storyboard', content), async () => {
    const sheet = createSheet(layout);
    await atOnce(plan.entries, THUMBS_AT_ONCE, async (_, i) =>
      placeThumb(sheet, layout, i, await slides.thumb(i)),
    );
    return { bytes: await encodeJpeg(sheet, SHEET_QUALITY) };
  });
  return stored;
}
