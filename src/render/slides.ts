import { PreviewError } from '../errors.ts';
import type { Warning } from '../job/jobRecord.ts';
import { rgbToYuv, type YuvPicture } from '../media/frame.ts';
import { encodeJpeg, type RgbPicture, scalePicture } from '../media/image.ts';
import { encodeFrames } from '../media/video.ts';
import type { ArtifactStore } from '../storage/artifactStore.ts';
import type { PartMaker } from './partMaker.ts';
import { composeSlide } from './parts/slide.ts';
import type { Plan } from './plan.ts';
import type { Stopwatch } from './stopwatch.ts';

/** The slides of a render by their place on the timeline, in the forms in which they are wanted. */
export interface Slides {
  rgb(index: number): Promise<RgbPicture>;
  picture(index: number): Promise<YuvPicture>;
  /** H.264: parameter sets and one IDR picture (annex B). */
  still(index: number): Promise<Buffer>;
  /** A small JPEG. */
  thumb(index: number): Promise<Buffer>;
  /** What composing them had to say, now or when they were made. */
  warnings(): Promise<Warning[]>;
}

interface Composed {
  rgb: RgbPicture;
  picture: YuvPicture;
  warnings: Warning[];
}

/** Composed slides kept in memory: one is wanted by its own segment and by the one before it. */
const KEPT = 4;
const THUMB_QUALITY = 90;

export function createSlides(
  plan: Plan,
  parts: PartMaker,
  store: ArtifactStore,
  stopwatch: Stopwatch,
): Slides {
  const kept = new Map<number, Promise<Composed>>();

  const compose = (index: number): Promise<Composed> =>
    stopwatch.time('slides', async () => {
      const { content } = at(plan.slides, index);
      const bytes = content.photo ? await store.readObject(content.photo) : undefined;
      const { picture: rgb, warnings } = await composeSlide(content, bytes).catch((cause: unknown) => {
        throw undecodable(index, cause);
      });
      return { rgb, picture: rgbToYuv(rgb.data, rgb.width, rgb.height), warnings };
    });

  const composed = (index: number): Promise<Composed> => {
    const present = kept.get(index) ?? compose(index);
    kept.delete(index);
    kept.set(index, present);
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT) break;
      kept.delete(oldest);
    }
    return present;
  };

  const thumb = async (index: number): Promise<Buffer> => {
    const planned = at(plan.thumbs, index);
    let made: Buffer | undefined;
    const { stored } = await parts.make(planned, async () => {
      const { rgb, warnings } = await composed(index);
      const small = await scalePicture(rgb, planned.content.width, planned.content.height);
      made = await encodeJpeg(small, THUMB_QUALITY);
      return { bytes: made, meta: { warnings } };
    });
    return made ?? store.readObject(stored.sha256);
  };

  return {
    rgb: async (index) => (await composed(index)).rgb,
    picture: async (index) => (await composed(index)).picture,
    async still(index) {
      let made: Buffer | undefined;
      const { stored } = await parts.make(at(plan.stills, index), async () => {
        const { picture } = await composed(index);
        // The thumbnail is made now, while the slide is at hand.
        const [coded] = await Promise.all([encodeFrames([picture], plan.video), thumb(index)]);
        made = Buffer.concat([coded.parameters, ...coded.frames]);
        return { bytes: made };
      });
      return made ?? store.readObject(stored.sha256);
    },
    thumb,
    async warnings() {
      const stored = await Promise.all(plan.thumbs.map(({ key }) => store.getPart(key)));
      return stored.flatMap((thumb) => (thumb?.meta?.warnings as Warning[] | undefined) ?? []);
    },
  };
}

function at<Part>(parts: readonly Part[], index: number): Part {
  const found = parts[index];
  if (!found) throw new Error(`there is no slide ${index}`);
  return found;
}

function undecodable(index: number, cause: unknown): PreviewError {
  const reason = cause instanceof Error ? cause.message.split('\n')[0] : 'unknown';
  return new PreviewError(
    'asset_corrupt',
    `The picture of slide ${index + 1} cannot be decoded (${reason}); it is damaged or truncated. Send the file again.`,
    { cause },
  );
}
