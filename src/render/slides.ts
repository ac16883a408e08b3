import { PreviewError } from '../errors.ts';
import type { Warning } from '../job/jobRecord.ts';
import { rgbToYuv, type YuvPicture } from '../media/frame.ts';
import type { ArtifactStore } from '../storage/artifactStore.ts';
import type { PartMaker } from './partMaker.ts';
import { composeSlide } from './parts/slide.ts';
import type { Plan } from './plan.ts';
import type { Stopwatch } from './stopwatch.ts';

/** The slides of a render by their place on the timeline. */
export interface Slides {
  get(index: number): Promise<YuvPicture>;
  /** What composing them had to say, now or when they were made. */
  warnings(): Promise<Warning[]>;
}

/** Decoded slides kept in memory: a slide is wanted by its own segment and by the one before it. */
const KEPT = 4;

export function createSlides(
  plan: Plan,
  parts: PartMaker,
  store: ArtifactStore,
  stopwatch: Stopwatch,
): Slides {
  const kept = new Map<number, Promise<YuvPicture>>();

  const load = async (index: number): Promise<YuvPicture> => {
    const slide = plan.slides[index];
    if (!slide) throw new Error(`there is no slide ${index}`);
    const { width, height, photo } = slide.content;
    let picture: YuvPicture | undefined;
    const { stored } = await parts.make(slide, () =>
      stopwatch.time('slides', async () => {
        const bytes = photo ? await store.readObject(photo) : undefined;
        const composed = await composeSlide(slide.content, bytes).catch((cause: unknown) => {
          throw undecodable(index, cause);
        });
        picture = rgbToYuv(composed.picture.data, width, height);
        return { bytes: picture.data, meta: { warnings: composed.warnings } };
      }),
    );
    return picture ?? { width, height, data: await store.readObject(stored.sha256) };
  };

  return {
    get(index) {
      const present = kept.get(index) ?? load(index);
      kept.delete(index);
      kept.set(index, present);
      for (const oldest of kept.keys()) {
        if (kept.size <= KEPT) break;
        kept.delete(oldest);
      }
      return present;
    },
    async warnings() {
      const stored = await Promise.all(plan.slides.map(({ key }) => store.getPart(key)));
      return stored.flatMap((slide) => (slide?.meta?.warnings as Warning[] | undefined) ?? []);
    },
  };
}

function undecodable(index: number, cause: unknown): PreviewError {
  const reason = cause instanceof Error ? cause.message.split('\n')[0] : 'unknown';
  return new PreviewError(
    'asset_corrupt',
    `The picture of slide ${index + 1} cannot be decoded (${reason}); it is damaged or truncated. Send the file again.`,
    { cause },
  );
}
