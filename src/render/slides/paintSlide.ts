import type { Warning } from '../../job/jobRecord.ts';
import type { YuvPicture } from '../../media/picture/frame.ts';
import { decodeLayer, trimLayer } from '../../media/picture/image.ts';
import { drawOver, mixOver } from '../../media/picture/paint.ts';
import { smoothstep } from '../../media/smoothstep.ts';
import { layoutText } from '../../media/text/text.ts';
import { undecodableLogo, withoutLogo } from '../plan/placeholders.ts';
import type { SlideContent } from '../plan/slideContent.ts';
import { fitWords, type Words } from './fitWords.ts';
import { paintBox } from './paintBox.ts';
import { type Theme, themeOf } from './themes.ts';
import { type Layout, layoutOf } from './wordsLayout.ts';

/**
 * Paints everything but the picture itself onto it, in place: a veil that keeps words readable, the progress line, the
 * logo, the words and a caption.
 * @returns also the picture as it was before the words
 * @throws PreviewError `asset_corrupt` where the logo cannot be decoded, and the job wants no preview without it
 */
export async function paintSlide(
  picture: YuvPicture,
  content: SlideContent,
  logo: Buffer | undefined,
): Promise<{ wordless: YuvPicture; warnings: Warning[] }> {
  const theme = themeOf(content);
  const layout = layoutOf(content);
  const { unit, margin } = layout;
  const missing: Warning[] = [];
  const [words, mark] = await Promise.all([
    fitWords(content),
    logo &&
      decodeLogo(logo, unit).catch((error: unknown) => {
        missing.push(withoutLogo(content, error));
      }),
  ]);
  const top =
    layout.anchor === 'bottom'
      ? layout.bottom - words.height
      : Math.round((content.height - words.height) / 2);
  const isOnPicture = Boolean(content.photo ?? content.clip);
  if (words.blocks.length > 0 && isOnPicture)
    paintVeil(picture, content, layout, { top, reach: margin + words.width });
  if (content.counter) paintProgress(picture, content, layout, theme);
  if (mark) {
    const left = content.mirrored ? margin : content.width - margin - mark.width;
    drawOver(picture, mark, left, Math.round(44 * unit));
  }
  const wordless = { ...picture, data: Buffer.from(picture.data) };
  if (words.blocks.length > 0) paintWords(picture, content, words, top);
  if (content.caption && content.caption.length > 0) await paintCaption(picture, content, unit);
  return { wordless, warnings: [...words.warnings, ...missing] };
}

/** A veil lets a twentieth of the photo through. */
const MOST_VEILED = 0.95;
/** What is left of the veil at the far side of the frame. */
const FAR_SIDE = { middle: 0.04, bottom: 0.16 };

/**
 * Mixes the veil's colour over the photo: full behind the words, fading out above and beside them. Where the words leave
 * too little room beside them for that, it is as wide as the frame.
 * @param reach how far the words reach from the side where they begin
 */
function paintVeil(
  picture: YuvPicture,
  content: SlideContent,
  { anchor, unit }: Layout,
  { top, reach }: { top: number; reach: number },
): void {
  const theme = themeOf(content);
  const { mirrored } = content;
  const { width, height } = picture;
  const room = width - reach;
  const isNarrow = width < height * 1.2;
  const columns = Float32Array.from({ length: width }, (_, x) => {
    if (isNarrow) return 1;
    const beyond = smoothstep(((mirrored ? width - 1 - x : x) - reach) / Math.max(1, room));
    return 1 - (1 - FAR_SIDE[anchor]) * beyond;
  });
  const fade = (anchor === 'middle' ? 0 : 290) * unit;
  const rows = Float32Array.from({ length: height }, (_, y) => {
    if (anchor === 'middle') return theme.veilOpacity;
    const down = smoothstep((y - (top - 20 * unit - fade)) / fade) * (1 + 0.16 * (y / height));
    return theme.veilOpacity * down;
  });
  mixOver(picture, theme.veil, rows, columns, MOST_VEILED);
}

/** The words from `top` on, and on the title card a short line above them. */
function paintWords(picture: YuvPicture, content: SlideContent, { blocks }: Words, top: number): void {
  const { unit, margin } = layoutOf(content);
  /** The left edge of what is `width` wide and stands at the side where reading begins. */
  const atStart = (width: number): number => (content.mirrored ? content.width - margin - width : margin);
  let baseline = top;
  for (const { block, gap } of blocks) {
    baseline += gap;
    drawOver(picture, block, atStart(block.width), baseline - block.firstBaseline);
    baseline += block.lastBaseline - block.firstBaseline;
  }
  if (content.kind !== 'title') return;
  const [width, height] = [Math.round(72 * unit), Math.max(2, Math.round(6 * unit))];
  const line = { left: atStart(width), top: top - 40 * unit, width, height, radius: height / 2 };
  paintBox(picture, line, themeOf(content).accent);
}

/** White on a dark box, in the middle above the progress line; the lines are broken already. */
async function paintCaption(picture: YuvPicture, content: SlideContent, unit: number): Promise<void> {
  // Lines of 42 letters fit into a tall frame, too.
  const size = (picture.width > picture.height ? 27 : 24) * unit;
  const block = await layoutText((content.caption ?? []).join('\n'), {
    weight: 'SemiBold',
    size,
    leading: 1.32,
    color: '#ffffff',
    width: picture.width - 120 * unit,
    align: 'centre',
    language: content.language,
  });
  if (!block) return;
  const [padX, padY] = [Math.round(24 * unit), Math.round(18 * unit)];
  const text = block.lastBaseline - block.firstBaseline + Math.round(size * 0.72);
  const [width, height] = [block.width + 2 * padX, text + 2 * padY];
  const left = Math.round((picture.width - width) / 2);
  const top = Math.round(picture.height - 76 * unit - height);
  paintBox(picture, { left, top, width, height, radius: 10 * unit }, '#0b0e13dd');
  drawOver(picture, block, left + padX, top + padY + Math.round(size * 0.72) - block.firstBaseline);
}

/** Above this many steps the progress line is one line instead of a bar for each. */
const MAX_BARS = 40;

function paintProgress(
  picture: YuvPicture,
  { counter, mirrored, width: frame }: SlideContent,
  { margin, unit }: Layout,
  theme: Theme,
): void {
  const { step, of } = counter ?? { step: 1, of: 1 };
  const top = picture.height - 46 * unit;
  const height = Math.max(2, Math.round(4 * unit));
  const length = picture.width - 2 * margin;
  const bar = (start: number, width: number, color: string): void => {
    const left = mirrored ? frame - margin - start - width : margin + start;
    paintBox(picture, { left, top, width, height, radius: height / 2 }, color);
  };
  if (of > MAX_BARS) {
    bar(0, length, theme.track);
    bar(0, (length * step) / of, theme.accent);
    return;
  }
  const gap = 8 * unit;
  const width = (length - gap * (of - 1)) / of;
  for (let i = 0; i < of; i++) bar(i * (width + gap), width, i < step ? theme.accent : theme.track);
}

/** @param unit pixels of the picture for one of the 1280x720 that the layout is drawn for */
async function decodeLogo(bytes: Buffer, unit: number) {
  try {
    return trimLayer(await decodeLayer(bytes, Math.round(220 * unit), Math.round(48 * unit), 'inside'));
  } catch (cause) {
    throw undecodableLogo(cause);
  }
}
