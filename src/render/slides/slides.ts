import type { Warning } from '../../job/jobRecord.ts';
import type { YuvPicture } from '../../media/picture/frame.ts';
import { resampleView } from '../../media/picture/view.ts';
import type { PlannedSlide } from '../plan/plan.ts';
import type { Stopwatch } from '../stopwatch.ts';
import { paintSlide } from './paintSlide.ts';
import { loadBackground, loadLogo, loadMovement, type Sources } from './sources.ts';

/** A picture with its words and without them. Neither is made before it is asked for. */
export interface WordedPicture {
  picture(): YuvPicture;
  wordless(): YuvPicture;
}

/** A slide as its entry begins. The transition before it leads to this picture; if it moves, it starts from here. */
export interface ComposedSlide extends WordedPicture {
  warnings: Warning[];
}

/** Composes slides from their contents, and has what they are made of. */
export interface Slides {
  compose(slide: PlannedSlide): Promise<ComposedSlide>;
  sources: Sources;
}

/** Composed slides that are kept in memory. Both a slide's own segment and the one before it want it. */
const KEPT = 4;

export function createSlides(sources: Sources, stopwatch: Stopwatch): Slides {
  const kept = new Map<string, Promise<ComposedSlide>>();
  return {
    sources,
    compose(slide) {
      const { key } = slide;
      const composed = kept.get(key) ?? stopwatch.time('slides', () => composeSlide(slide, sources));
      kept.delete(key);
      kept.set(key, composed);
      for (const oldest of kept.keys()) {
        if (kept.size <= KEPT) break;
        kept.delete(oldest);
      }
      return composed;
    },
  };
}

async function composeSlide(slide: PlannedSlide, sources: Sources): Promise<ComposedSlide> {
  const { content } = slide;
  const { picture, warnings } = await loadOpening(slide, sources);
  const painted = await paintSlide(picture, content, await loadLogo(content, sources));
  return {
    picture: () => picture,
    wordless: () => painted.wordless,
    warnings: [...warnings, ...painted.warnings],
  };
}

/** What lies behind the words when the slide comes. */
async function loadOpening(
  slide: PlannedSlide,
  sources: Sources,
): Promise<{ picture: YuvPicture; warnings: Warning[] }> {
  const { width, height } = slide.content;
  const movement = await loadMovement(slide.content, sources);
  if (!movement) return loadBackground(slide, sources);
  const { picture, warnings } = await loadBackground(slide, sources, movement.scale);
  return { picture: resampleView(picture, movement.at(0).view, width, height), warnings };
}
