import type { Warning } from '../../job/jobRecord.ts';
import { yuvToRgb } from '../../media/picture/convert.ts';
import type { RgbPicture } from '../../media/picture/image.ts';
import { findParts } from '../parts/findParts.ts';
import type { PartMaker } from '../parts/partMaker.ts';
import type { Plan, PlannedEntry } from '../plan/plan.ts';
import type { Workbench } from '../workbench.ts';

/** A small picture of what an entry begins with. The warnings of its slide are stored with it. */
export async function makeThumbnail(
  { slides: [first], thumb }: PlannedEntry,
  { parts, slides }: Pick<Workbench, 'parts' | 'slides'>,
): Promise<RgbPicture> {
  const { width, height } = thumb.content;
  const data = await parts.bytes(thumb, async () => {
    const { picture, warnings } = await slides.compose(first);
    return { bytes: (await yuvToRgb(picture(), width, height)).data, meta: { warnings } };
  });
  return { width, height, data };
}

/** The warnings of all slides, whether they were composed now or for an earlier render. */
export async function slideWarnings({ entries }: Plan, parts: PartMaker): Promise<Warning[]> {
  const keys = entries.map(({ thumb }) => thumb.key);
  const thumbs = await findParts(keys, parts.find);
  return thumbs.flatMap((thumb) => (thumb?.meta?.warnings as Warning[] | undefined) ?? []);
}
