import type { RgbPicture } from '../../media/picture/image.ts';
import { clock } from '../timeline/captions.ts';
import type { Timeline } from '../timeline/timeline.ts';

/** Thumbnails of all slides on one sheet, for scrubbing; sizes in pixels. */
export interface SheetLayout {
  columns: number;
  rows: number;
  thumbWidth: number;
  thumbHeight: number;
}

const THUMB_WIDTH = 160;
const MAX_COLUMNS = 10;

/** The size of a thumbnail of a picture of that size, in pixels. */
export function thumbnailSize({ width, height }: { width: number; height: number }) {
  return { width: THUMB_WIDTH, height: Math.max(2, Math.round((THUMB_WIDTH * height) / width / 2) * 2) };
}

export function sheetLayout(count: number, picture: { width: number; height: number }): SheetLayout {
  const columns = Math.min(MAX_COLUMNS, count);
  const { width, height } = thumbnailSize(picture);
  return { columns, rows: Math.ceil(count / columns), thumbWidth: width, thumbHeight: height };
}

export function createSheet({ columns, rows, thumbWidth, thumbHeight }: SheetLayout): RgbPicture {
  const [width, height] = [columns * thumbWidth, rows * thumbHeight];
  return { width, height, data: Buffer.alloc(width * height * 3) };
}

/** Copies the thumbnail of entry `index` to its place. */
export function placeThumb(sheet: RgbPicture, layout: SheetLayout, index: number, thumb: RgbPicture): void {
  const left = (index % layout.columns) * layout.thumbWidth;
  const top = Math.floor(index / layout.columns) * layout.thumbHeight;
  for (let y = 0; y < thumb.height; y++) {
    const row = thumb.data.subarray(y * thumb.width * 3, (y + 1) * thumb.width * 3);
    sheet.data.set(row, ((top + y) * sheet.width + left) * 3);
  }
}

/** WebVTT thumbnails: each cue names its rectangle of the sheet as a media fragment (`#xywh=`). */
export function storyboardVtt(timeline: Timeline, layout: SheetLayout): string {
  const cues = timeline.entries.map((entry, i) => {
    const left = (i % layout.columns) * layout.thumbWidth;
    const top = Math.floor(i / layout.columns) * layout.thumbHeight;
    const start = clock(entry.startFrame / timeline.fps, '.');
    const end = clock((entry.startFrame + entry.frames) / timeline.fps, '.');
    return `${start} --> ${end}\nstoryboard.jpg#xywh=${left},${top},${layout.thumbWidth},${layout.thumbHeight}\n`;
  });
  return ['WEBVTT\n', ...cues].join('\n');
}
