import type { YuvPicture } from '../../media/picture/frame.ts';
import { BLACK, putOver, readOverlay, WHITE } from '../../media/picture/overlay.ts';
import type { SlideContent } from '../plan/slideContent.ts';
import { paintSlide } from './paintSlide.ts';
import type { WordedPicture } from './slides.ts';

/** Puts the words and the rest of a slide over one picture. */
export type Over = (under: YuvPicture) => WordedPicture;

/** Reads off what a slide puts over its picture, so that it can be put over every frame of one that moves. */
export async function overlayOf(content: SlideContent, logo: Buffer | undefined): Promise<Over> {
  const on = async (level: number) => {
    const picture = plain(content, level);
    const { wordless } = await paintSlide(picture, content, logo);
    return { picture, wordless };
  };
  const [onBlack, onWhite] = await Promise.all([on(BLACK), on(WHITE)]);
  const whole = readOverlay(onBlack.picture, onWhite.picture);
  const rest = once(() => readOverlay(onBlack.wordless, onWhite.wordless));
  return (under) => ({
    picture: once(() => putOver(under, whole)),
    wordless: once(() => putOver(under, rest())),
  });
}

/** Makes something when it is first asked for. */
function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** A picture of one grey. */
function plain({ width, height }: { width: number; height: number }, luma: number): YuvPicture {
  const data = Buffer.alloc((width * height * 3) / 2, 128);
  return { width, height, data: data.fill(luma, 0, width * height) };
}
