import { transitionPicture } from '../../media/frame.ts';
import { encodeSegment, type TimedPicture } from '../../media/video.ts';
import type { SegmentContent } from '../plan.ts';
import type { Slides } from '../slides.ts';

/**
 * The segment of entry `index`: its slide as one still, then the frames of the transition to the next slide.
 * The next segment begins with that slide as its own keyframe, so segments know nothing of each other's bytes.
 */
export async function makeSegment(content: SegmentContent, index: number, slides: Slides): Promise<Buffer> {
  const { exit } = content;
  const slide = await slides.get(index);
  const pictures: TimedPicture[] = [{ frames: content.holdFrames, make: () => slide }];
  if (exit) {
    const next = await slides.get(index + 1);
    for (let i = 1; i <= exit.frames; i++) {
      const progress = i / (exit.frames + 1);
      pictures.push({ frames: 1, make: () => transitionPicture(exit.type, slide, next, progress) });
    }
  }
  return encodeSegment(pictures, content.video);
}
