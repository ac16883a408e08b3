import { atOnce } from '../../concurrency/atOnce.ts';
import { encodeJpeg, type RgbPicture } from '../../media/picture/image.ts';
import type { StoredPart } from '../../storage/artifactStore.ts';
import { part } from '../parts/part.ts';
import type { Plan } from '../plan/plan.ts';
import { thumbnailSize } from '../plan/thumbnailSize.ts';
import type { Workbench } from '../workbench.ts';
import { makeThumbnail } from './thumbnail.ts';

/** Thumbnails of all slides on one sheet, for scrubbing; sizes in pixels. */
export interface SheetLayout {
  columns: number;
  rows: number;
  thumbWidth: number;
  thumbHeight: number;
}

const MAX_COLUMNS = 10;
const QUALITY = 78;
/** Thumbnails at a time. Most were made with the segments and are only read; without segments each slide is composed first. */
const AT_ONCE = 8;

/** The sheet as a JPEG; made from the slides, so that no video is decoded for it. */
export async function makeThumbnailSheet(
  { entries, video }: Plan,
  bench: Pick<Workbench, 'parts' | 'slides'>,
): Promise<StoredPart> {
  const layout = sheetLayout(entries.length, video);
  const content = { thumbs: entries.map(({ thumb }) => thumb.key), layout, quality: QUALITY };
  const { stored } = await bench.parts.make(part('storyboard', content), async () => {
    const sheet = createSheet(layout);
    await atOnce(entries, AT_ONCE, async (entry, i) =>
      copyTo(sheet, placeOf(i, layout), await makeThumbnail(entry, bench)),
    );
    return { bytes: await encodeJpeg(sheet, QUALITY) };
  });
  return stored;
}

export function sheetLayout(count: number, picture: { width: number; height: number }): SheetLayout {
  const columns = Math.min(MAX_COLUMNS, count);
  const { width, height } = thumbnailSize(picture);
  return { columns, rows: Math.ceil(count / columns), thumbWidth: width, thumbHeight: height };
}

/** Where the thumbnail of entry `index` lies on the sheet. */
export const placeOf = (
  index: number,
  { columns, thumbWidth, thumbHeight }: SheetLayout,
): { left: number; top: number } => ({
  left: (index % columns) * thumbWidth,
  top: Math.floor(index / columns) * thumbHeight,
});

function createSheet({ columns, rows, thumbWidth, thumbHeight }: SheetLayout): RgbPicture {
  const [width, height] = [columns * thumbWidth, rows * thumbHeight];
  return { width, height, data: Buffer.alloc(width * height * 3) };
}

function copyTo(sheet: RgbPicture, { left, top }: { left: number; top: number }, thumb: RgbPicture): void {
  for (let y = 0; y < thumb.height; y++) {
    const row = thumb.data.subarray(y * thumb.width * 3, (y + 1) * thumb.width * 3);
    sheet.data.set(row, ((top + y) * sheet.width + left) * 3);
  }
}
