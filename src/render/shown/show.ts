import { PreviewError } from '../../errors.ts';
import type { YuvPicture } from '../../media/picture/frame.ts';
import { dimOutside, resampleView } from '../../media/picture/view.ts';
import { undecodable } from '../plan/placeholders.ts';
import type { PlannedEntry } from '../plan/plan.ts';
import { moves, plays, type SlideContent } from '../plan/slideContent.ts';
import { type Over, overlayOf } from '../slides/overlay.ts';
import type { Slides, WordedPicture } from '../slides/slides.ts';
import { clipPictures, loadBackground, loadLogo, loadMovement, type Sources } from '../slides/sources.ts';

/** A picture, and for how many frames it is on the screen. */
export interface Shown extends WordedPicture {
  frames: number;
}

/**
 * What an entry shows until its transition: slides that stand, a photo that moves, or a video that plays.
 * @param beyond frames for which a video plays on
 * @throws PreviewError `cancelled` at the signal
 */
export async function* show(
  entry: PlannedEntry,
  slides: Slides,
  signal: AbortSignal,
  beyond = 0,
): AsyncGenerator<Shown> {
  const { content } = entry.slides[0];
  const shown = plays(content)
    ? playing(entry, slides.sources, beyond)
    : moves(content)
      ? moving(entry, slides)
      : standing(entry, slides);
  for await (const picture of shown) {
    if (signal.aborted) throw new PreviewError('cancelled');
    yield picture;
  }
}

async function* standing({ slides }: PlannedEntry, { compose }: Slides): AsyncGenerator<Shown> {
  for (const slide of slides) yield { ...(await compose(slide)), frames: slide.frames };
}

async function* moving(entry: PlannedEntry, slides: Slides): AsyncGenerator<Shown> {
  const { sources } = slides;
  const [first] = entry.slides;
  const { width, height } = first.content;
  const movement = await loadMovement(first.content, sources);
  if (!movement) {
    yield* standing(entry, slides);
    return;
  }
  const { picture: source } = await loadBackground(first, sources, movement.scale);
  const total = entry.slides.reduce((sum, { frames }) => sum + frames, 0);
  let frame = 0;
  for (const slide of entry.slides) {
    const over = await loadOverlay(slide.content, sources);
    for (let i = 0; i < slide.frames; i++, frame++) {
      const { view, light } = movement.at(total > 1 ? frame / (total - 1) : 0);
      const shown = resampleView(source, view, width, height);
      if (light) dimOutside(shown, light);
      yield { ...over(shown), frames: 1 };
    }
  }
}

/** A video under the words; its last picture stands until the step ends. */
async function* playing({ slides }: PlannedEntry, sources: Sources, beyond: number): AsyncGenerator<Shown> {
  const [first] = slides;
  const pictures = clipPictures(first.content, sources);
  let last: YuvPicture | undefined;
  try {
    for (const slide of slides) {
      const over = await loadOverlay(slide.content, sources);
      const count = slide.frames + (slide === slides.at(-1) ? beyond : 0);
      for (let i = 0; i < count; i++) {
        const next = await pictures.next().catch((cause: unknown) => {
          // A video that breaks off stands still; one that never begins cannot be shown.
          if (last) return { done: true as const, value: undefined };
          throw undecodable(first.entry, cause);
        });
        last = next.done ? last : next.value;
        if (!last) throw undecodable(first.entry, new Error('it has no picture'));
        yield { ...over(last), frames: 1 };
      }
    }
  } finally {
    await pictures.return(undefined);
  }
}

const loadOverlay = async (content: SlideContent, sources: Sources): Promise<Over> =>
  overlayOf(content, await loadLogo(content, sources));
