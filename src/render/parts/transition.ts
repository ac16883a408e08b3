import { type TransitionType, transitionPicture, type YuvPicture } from '../../media/frame.ts';
import type { Shown } from '../shown.ts';

/** Frames in which the words leave, the pictures change, and the other words come. */
export interface Phases {
  leaving: number;
  changing: number;
  coming: number;
}

/** Of a transition, how long words take to leave, and as long to come. */
const WORDS_SHARE = 0.27;

/**
 * How the frames of a transition are shared out, so that no words lie over others. The last frame of each phase shows
 * what it leads to. Where there are two frames, the pictures change between them; where there is one, it is a cut.
 */
export function phasesOf(frames: number): Phases {
  const coming = Math.max(1, Math.round(frames * WORDS_SHARE));
  const leaving = Math.min(coming, frames - coming);
  return { leaving, changing: frames - leaving - coming, coming };
}

/** Frame `i`, from 1, of a transition of `frames` frames. */
export function transitionFrame(
  { type, frames }: { type: TransitionType; frames: number },
  i: number,
  from: Shown,
  to: Shown,
): YuvPicture {
  const { leaving, changing, coming } = phasesOf(frames);
  if (i <= leaving) return transitionPicture('fade', from.picture(), from.wordless(), i / leaving);
  const changed = i - leaving;
  if (changed <= changing) {
    return transitionPicture(type, from.wordless(), to.wordless(), changed / changing);
  }
  return transitionPicture('fade', to.wordless(), to.picture(), (changed - changing) / coming);
}
