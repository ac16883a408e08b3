import { rgbToYuv } from '../../media/picture/convert.ts';
import type { YuvPicture } from '../../media/picture/frame.ts';
import {
  copyOnto,
  coverPicture,
  decodeLayer,
  type ImageHeader,
  probeImage,
  type RgbPicture,
} from '../../media/picture/image.ts';
import { drawOver } from '../../media/picture/paint.ts';
import type { View } from '../../media/picture/view.ts';
import type { SlideContent } from '../plan/slideContent.ts';
import { type Theme, themeOf } from './themes.ts';

export interface Background {
  picture: YuvPicture;
  /** Where the photo lies, in fractions of the frame; it may be larger than the frame. */
  place: View;
}

export const WHOLE: View = { left: 0, top: 0, width: 1, height: 1 };
/** A photo that would lose more than the rest of this by filling the frame is shown whole, on a blurred copy of itself. */
const LEAST_SHOWN = 0.6;

/**
 * What lies behind the words of a slide, at `scale` times the size of its frame.
 * @throws Error where the bytes are damaged or truncated
 */
export async function paintBackground(
  content: SlideContent,
  photo: Buffer | undefined,
  scale = 1,
): Promise<Background> {
  const [width, height] = [even(content.width * scale), even(content.height * scale)];
  if (!photo) {
    const picture = await rgbToYuv(paintCanvas(width, height, themeOf(content)));
    if (content.placeholder && content.kind === 'step') {
      await paintSign(picture, themeOf(content), content.mirrored);
    }
    return { picture, place: WHOLE };
  }
  const header = await probeImage(photo);
  const place = placePhoto(header, content, content.mirrored);
  const isWhole = place.width <= 1 && place.height <= 1;
  if (header.hasAlpha) {
    const picture = await rgbToYuv(paintCanvas(width, height, themeOf(content)));
    const box = isWhole ? inPixels(place, width, height) : { left: 0, top: 0, width, height };
    drawOver(picture, await decodeLayer(photo, box.width, box.height, 'cover'), box.left, box.top);
    return { picture, place };
  }
  if (!isWhole) return { picture: await rgbToYuv(await coverPicture(photo, width, height)), place };
  const box = inPixels(place, width, height);
  const [picture, piece] = await Promise.all([
    coverPicture(photo, width, height, 'blurred'),
    coverPicture(photo, box.width, box.height),
  ]);
  darken(picture);
  copyOnto(picture, piece, box.left, box.top);
  return { picture: await rgbToYuv(picture), place };
}

/**
 * Fills the frame, evenly cropped, where enough of the photo is left. Otherwise all of it is shown: a tall one at the
 * far side of a wide frame, beside the words, a wide one in the upper part of a tall frame, above them.
 * @returns in fractions of the frame
 */
export function placePhoto(
  photo: Pick<ImageHeader, 'width' | 'height'>,
  frame: { width: number; height: number },
  mirrored = false,
): View {
  // How wide the photo is at the frame's height, in widths of the frame.
  const wide = (photo.width / photo.height) * (frame.height / frame.width);
  const shown = Math.min(wide, 1 / wide);
  if (shown >= LEAST_SHOWN) {
    const [width, height] = wide > 1 ? [wide, 1] : [1, 1 / wide];
    return { left: (1 - width) / 2, top: (1 - height) / 2, width, height };
  }
  if (wide < 1) {
    return { left: mirrored ? 0 : 1 - wide, top: 0, width: wide, height: 1 };
  }
  const height = 1 / wide;
  return { left: 0, top: Math.max(0, Math.min(0.4, 0.84 - height) - height / 2), width: 1, height };
}

function inPixels(place: View, width: number, height: number): View {
  const left = Math.round(place.left * width);
  const top = Math.round(place.top * height);
  return {
    left,
    top,
    width: Math.min(width - left, Math.round(place.width * width)),
    height: Math.min(height - top, Math.round(place.height * height)),
  };
}

const even = (length: number): number => 2 * Math.round(length / 2);

/** Paints an empty picture frame where the picture would be, to show that something is missing. */
async function paintSign(picture: YuvPicture, theme: Theme, mirrored = false): Promise<void> {
  const unit = Math.min(picture.width, picture.height) / 720;
  const wide = picture.width > picture.height * 1.2;
  const [width, height] = [Math.round((wide ? 400 : 520) * unit), Math.round((wide ? 272 : 354) * unit)];
  const sign = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 400 272" fill="none"
    stroke="${theme.text}" stroke-linecap="round" stroke-linejoin="round">
    <rect x="2" y="2" width="396" height="268" rx="22" fill="${theme.text}" fill-opacity="0.05" stroke-opacity="0.34"
      stroke-width="2.5" stroke-dasharray="1 10"/>
    <g stroke-width="5" stroke-opacity="0.6"><rect x="146" y="84" width="108" height="84" rx="12"/>
    <path d="M148 152l30-30 26 26 14-14 34 32"/><circle cx="222" cy="110" r="8"/></g>
    <path d="M136 74l128 124" stroke="${theme.accent}" stroke-width="5"/></svg>`;
  const layer = await decodeLayer(Buffer.from(sign), width, height, 'inside');
  const share = wide ? (mirrored ? 0.26 : 0.74) : 0.5;
  const left = Math.round(picture.width * share - width / 2);
  drawOver(picture, layer, left, Math.round(picture.height * (wide ? 0.37 : 0.36) - height / 2));
}

/** So that the photo stands out from its own copy. */
function darken({ data }: RgbPicture): void {
  for (let i = 0; i < data.length; i++) data[i] = ((data[i] as number) * 150) >> 8;
}

/** A soft diagonal gradient, with one level of ordered noise against banding. */
function paintCanvas(width: number, height: number, theme: Theme): RgbPicture {
  const data = Buffer.allocUnsafe(width * height * 3);
  const [from, to] = theme.canvas;
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const t = (x / width + y / height) / 2;
      const noise = ((x * 5 + y * 3) & 7) / 8;
      for (let c = 0; c < 3; c++) {
        const a = from[c] as number;
        data[at++] = a + ((to[c] as number) - a) * t + noise;
      }
    }
  }
  return { width, height, data };
}
