import type { YuvPicture } from '../../media/picture/frame.ts';
import type { PlannedEntry } from '../plan/plan.ts';
import type { Slides, WordedPicture } from '../slides/slides.ts';
import { show } from './show.ts';
import { transitionFrame } from './transition.ts';

/** A picture as it is encoded, and for how many frames it is on the screen. */
export interface TimedPicture {
  picture: YuvPicture;
  frames: number;
}

/** Everything that an entry shows: what it shows by itself, and then the transition to the next entry. */
export async function* showWithTransition(
  entry: PlannedEntry,
  next: PlannedEntry | undefined,
  slides: Slides,
  signal: AbortSignal,
): AsyncGenerator<TimedPicture> {
  const { exit } = entry.segment.content;
  const until = entry.slides.reduce((sum, { frames }) => sum + frames, 0);
  const count = exit?.frames ?? 0;
  let last: WordedPicture | undefined;
  let frame = 0;
  const mixed = async (from: WordedPicture): Promise<TimedPicture> => {
    if (!exit || !next) throw new Error('a transition leads from one entry to the next');
    const to = await slides.compose(next.slides[0]);
    frame++;
    return { picture: transitionFrame(exit, frame - until, from, to), frames: 1 };
  };
  for await (const shown of show(entry, slides, signal, count)) {
    last = shown;
    if (frame >= until) {
      yield await mixed(shown);
      continue;
    }
    frame += shown.frames;
    yield { picture: shown.picture(), frames: shown.frames };
  }
  // A picture that does not play on stands still under the transition.
  while (last && frame < until + count) yield await mixed(last);
}
