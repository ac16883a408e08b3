import { yuvToRgb } from '../../media/picture/convert.ts';
import { encodeJpeg } from '../../media/picture/image.ts';
import type { StoredPart } from '../../storage/artifactStore.ts';
import { part } from '../parts/part.ts';
import type { Plan } from '../plan/plan.ts';
import type { Workbench } from '../workbench.ts';

const QUALITY = 88;

/** The first slide as a JPEG. */
export async function makePoster(
  { entries: [entry] }: Plan,
  { parts, slides }: Pick<Workbench, 'parts' | 'slides'>,
): Promise<StoredPart> {
  const [slide] = entry.slides;
  const { stored } = await parts.make(part('poster', { slide: slide.key, quality: QUALITY }), async () => {
    const { picture } = await slides.compose(slide);
    return { bytes: await encodeJpeg(await yuvToRgb(picture()), QUALITY) };
  });
  return stored;
}
