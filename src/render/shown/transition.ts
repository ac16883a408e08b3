import { type TransitionType, transitionPicture, type YuvPicture } from '../../media/picture/frame.ts';
import type { WordedPicture } from '../slides/slides.ts';

/** How a step comes, and how long that takes: two frames at least. */
export interface Transition {
  type: TransitionType;
  frames: number;
}

/** Frames in which the words leave, the pictures change, and the other words come. */
export interface Phases {
  leaving: number;
  changing: number;
  coming: number;
}

/** Of a transition, how long words take to leave, and as long to come. What moves across the frame needs more time. */
const WORDS_SHARE: Readonly<Record<TransitionType, number>> = { fade: 0.27, slide: 0.2, wipe: 0.2 };

/**
 * How the frames of a transition are shared out, so that no words lie over others. The last frame of each phase shows
 * what it leads to. Where there are two frames, the pictures change between them.
 */
export function phasesOf({ type, frames }: Transition): Phases {
  const words = Math.max(1, Math.round(frames * WORDS_SHARE[type]));
  return { leaving: words, changing: frames - 2 * words, coming: words };
}

/** Frame `i`, from 1, of a transition of `frames` frames. */
export function transitionFrame(
  transition: Transition,
  i: number,
  from: WordedPicture,
  to: WordedPicture,
): YuvPicture {
  const { leaving, changing, coming } = phasesOf(transition);
  if (i <= leaving) return transitionPicture('fade', from.picture(), from.wordless(), i / leaving);
  const changed = i - leaving;
  if (changed <= changing) {
    return transitionPicture(transition.type, from.wordless(), to.wordless(), changed / changing);
  }
  return transitionPicture('fade', to.wordless(), to.picture(), (changed - changing) / coming);
}
