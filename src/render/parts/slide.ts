import type { Warning } from '../../job/jobRecord.ts';
import type { Focus, Motion } from '../../job/previewJob.types.ts';
import type { YuvPicture } from '../../media/frame.ts';
import { decodeLayer } from '../../media/image.ts';
import { drawOver, mixOver } from '../../media/paint.ts';
import { layoutText, scriptsWithoutFont, type TextBlock } from '../../media/text.ts';
import { type Theme, type ThemeName, themeOf } from '../themes.ts';
import { boundOfHeight, type Piece } from './wordsBound.ts';

/** Everything that decides a slide's pixels, and so its key. */
export interface SlideContent {
  kind: 'title' | 'step';
  width: number;
  height: number;
  theme: ThemeName;
  /** Takes the place of the theme's accent. */
  brandColor?: string | undefined;
  /** Digest of a picture for the upper right corner. */
  logo?: string | undefined;
  title?: string | undefined;
  text?: string | undefined;
  /** Lines of a caption that is burned in; empty where there is one at other times. */
  caption?: readonly string[] | undefined;
  /** Digest of the photo that fills the frame. */
  photo?: string | undefined;
  /** A video instead of a photo, and the demuxer that opens it. */
  clip?: { sha256: string; demuxer: string; fps: number } | undefined;
  motion?: Motion | undefined;
  focus?: Focus | undefined;
  /** A sign is shown where the photo should be and cannot be had. */
  placeholder?: boolean | undefined;
  /** Which step this is, from 1, of how many. */
  counter?: { step: number; of: number } | undefined;
}

/**
 * Paints everything but the picture itself onto it, in place: a veil that keeps words readable, the words, the progress
 * line, a caption, the logo.
 */
export async function paintSlide(
  picture: YuvPicture,
  content: SlideContent,
  logo: Buffer | undefined,
): Promise<Warning[]> {
  const theme = themeOf(content);
  // All lengths are in units of a 720-pixel short side, so that a slide looks the same at every resolution.
  const unit = Math.min(content.width, content.height) / 720;
  const layout = content.kind === 'title' ? titleLayout(content, unit) : stepLayout(content, unit);
  const [words, mark] = await Promise.all([
    fitWords(content, layout, theme),
    logo && decodeLayer(logo, Math.round(220 * unit), Math.round(48 * unit), 'inside'),
  ]);
  const top =
    layout.anchor === 'bottom'
      ? layout.bottom - words.height
      : Math.round((content.height - words.height) / 2);
  if (words.blocks.length > 0) {
    paintVeil(picture, theme, { anchor: layout.anchor, top, right: layout.left + words.width }, unit);
  }
  let y = top;
  for (const { block, gap } of words.blocks) {
    y += gap;
    drawOver(picture, block, layout.left, y);
    y += block.height;
  }
  if (content.kind === 'title')
    paintBar(picture, layout.left, top - 34 * unit, 72 * unit, 6 * unit, theme.accent);
  if (content.counter) paintProgress(picture, content.counter, layout.margin, unit, theme);
  if (content.caption && content.caption.length > 0) await paintCaption(picture, content.caption, unit);
  if (mark) drawOver(picture, mark, content.width - layout.margin - mark.width, Math.round(44 * unit));
  return words.warnings;
}

/** What {@link paintSlide} would have to say of a slide's words. Nothing is painted. */
export async function checkWords(content: SlideContent): Promise<Warning[]> {
  const unit = Math.min(content.width, content.height) / 720;
  const layout = content.kind === 'title' ? titleLayout(content, unit) : stepLayout(content, unit);
  const theme = themeOf(content);
  const bound = boundOfHeight(piecesOf(content, layout, theme, 1), layout.columnWidth);
  if (bound !== undefined && bound <= layout.maxHeight) return missingScripts(content);
  return (await fitWords(content, layout, theme)).warnings;
}

interface Layout {
  margin: number;
  left: number;
  columnWidth: number;
  anchor: 'bottom' | 'middle';
  /** Where the words end, for `bottom`. */
  bottom: number;
  maxHeight: number;
  titleSize: number;
  textSize: number;
}

function stepLayout({ width, height, caption }: SlideContent, unit: number): Layout {
  const margin = Math.round(64 * unit);
  // Captions have a place of their own below the words.
  const bottom = Math.round(height - (caption ? 200 : 84) * unit);
  return {
    margin,
    left: margin,
    columnWidth: Math.min(width - 2 * margin, Math.round(760 * unit)),
    anchor: 'bottom',
    bottom,
    maxHeight: bottom - margin,
    titleSize: 44 * unit,
    textSize: 25 * unit,
  };
}

function titleLayout({ width, height }: SlideContent, unit: number): Layout {
  const margin = Math.round(88 * unit);
  return {
    margin,
    left: margin,
    columnWidth: Math.min(width - 2 * margin, Math.round(880 * unit)),
    anchor: 'middle',
    bottom: height,
    maxHeight: height - Math.round(200 * unit),
    titleSize: 66 * unit,
    textSize: 28 * unit,
  };
}

interface Words {
  blocks: { block: TextBlock; gap: number }[];
  width: number;
  height: number;
  warnings: Warning[];
}

/** Sizes to try, from designed to just legible (15 px on a 720-line picture). */
const SCALES = [1, 0.9, 0.8, 0.7, 0.6];

/** Sets the words as large as they fit; text that does not fit at the smallest size is shortened, with a warning. */
async function fitWords(content: SlideContent, layout: Layout, theme: Theme): Promise<Words> {
  let words: Words = { blocks: [], width: 0, height: 0, warnings: [] };
  const warnings = missingScripts(content);
  for (const scale of SCALES) {
    words = await setWords(content, layout, theme, scale);
    if (words.height <= layout.maxHeight) return { ...words, warnings };
  }
  const smallest = SCALES.at(-1) ?? 1;
  let { title, text } = content;
  while ((title?.length ?? 0) + (text?.length ?? 0) > 2 && words.height > layout.maxHeight) {
    const keep = Math.min(0.95, layout.maxHeight / words.height);
    if (text) text = shorten(text, keep);
    else if (title) title = shorten(title, keep);
    words = await setWords({ ...content, title, text }, layout, theme, smallest);
  }
  const message =
    'The words do not fit on the slide and were shortened; use fewer words or a larger resolution.';
  return { ...words, warnings: [...warnings, { code: 'text_shortened', message, ...stepOf(content) }] };
}

const stepOf = ({ counter }: SlideContent): { step?: number } => (counter ? { step: counter.step - 1 } : {});

/** A warning for each script that no font of this process has; its letters are shown as boxes. */
function missingScripts(content: SlideContent): Warning[] {
  const words = [content.title, content.text, ...(content.caption ?? [])].join(' ');
  return scriptsWithoutFont(words).map((script) => ({
    code: 'script_missing',
    message: `No font here has the letters of ${script}; they are shown as boxes. Operators: add one with PREVIEW_FONTS_DIR.`,
    ...stepOf(content),
  }));
}

/** Cuts at a word's end where there is one near, and never inside a character. */
function shorten(text: string, keep: number): string {
  const characters = [...text.replace(/…$/, '')];
  const cut = characters.slice(0, Math.floor(characters.length * keep)).join('');
  const atWord = cut.replace(/\s+\S*$/, '');
  const best = atWord.length > cut.length * 0.6 ? atWord : cut;
  return best === '' ? '' : `${best}…`;
}

function piecesOf(content: SlideContent, layout: Layout, theme: Theme, scale: number): Piece[] {
  const pieces: Piece[] = [];
  const { titleSize, textSize } = layout;
  if (content.counter) {
    const words = `${content.counter.step} / ${content.counter.of}`;
    pieces.push({
      words,
      style: { weight: 'SemiBold', size: textSize * 0.8, lineHeight: 1, color: theme.accent },
      gap: 0,
    });
  }
  if (content.title?.trim()) {
    const style = { weight: 'Bold', size: titleSize * scale, lineHeight: 0.88, color: theme.title } as const;
    pieces.push({ words: content.title, style, gap: titleSize * 0.42 });
  }
  if (content.text?.trim()) {
    const style = { weight: 'Regular', size: textSize * scale, lineHeight: 1.04, color: theme.text } as const;
    pieces.push({ words: content.text, style, gap: Math.max(textSize, titleSize * 0.42) * scale });
  }
  return pieces;
}

async function setWords(content: SlideContent, layout: Layout, theme: Theme, scale: number): Promise<Words> {
  const blocks = await Promise.all(
    piecesOf(content, layout, theme, scale).map(async ({ words, style, gap }, i) => ({
      block: await layoutText(words, { ...style, width: layout.columnWidth }),
      gap: i === 0 ? 0 : Math.round(gap),
    })),
  );
  const height = blocks.reduce((sum, { block, gap }) => sum + block.height + gap, 0);
  const width = Math.max(0, ...blocks.map(({ block }) => block.width));
  return { blocks, width, height, warnings: [] };
}

const smoothstep = (t: number): number => {
  const clamped = Math.min(1, Math.max(0, t));
  return clamped * clamped * (3 - 2 * clamped);
};

/** A veil lets a twentieth of the photo through. */
const MOST_VEILED = 0.95;

/** Mixes the veil's colour over the photo: full behind the words, fading out above and beside them. */
function paintVeil(
  picture: YuvPicture,
  theme: Theme,
  { anchor, top, right }: { anchor: Layout['anchor']; top: number; right: number },
  unit: number,
): void {
  const { width, height } = picture;
  const columns = Float32Array.from({ length: width }, (_, x) => {
    const beyond = smoothstep((x - right - 16 * unit) / Math.max(1, (width - right) * 0.7));
    return anchor === 'middle' ? 1 - 0.9 * beyond : 1 - 0.82 * beyond;
  });
  const fade = 190 * unit;
  const rows = Float32Array.from({ length: height }, (_, y) => {
    if (anchor === 'middle') return theme.veilOpacity;
    const down = smoothstep((y - (top - 16 * unit - fade)) / fade) * (1 + 0.16 * (y / height));
    return theme.veilOpacity * down;
  });
  mixOver(picture, theme.veil, rows, columns, MOST_VEILED);
}

/** White on a dark box, in the middle above the progress line; the lines are broken already. */
async function paintCaption(picture: YuvPicture, lines: readonly string[], unit: number): Promise<void> {
  const block = await layoutText(lines.join('\n'), {
    weight: 'SemiBold',
    size: 27 * unit,
    lineHeight: 0.96,
    color: '#ffffff',
    width: picture.width - 120 * unit,
    align: 'centre',
  });
  const [padX, padY] = [Math.round(22 * unit), Math.round(14 * unit)];
  const left = Math.round((picture.width - block.width) / 2);
  const top = Math.round(picture.height - 72 * unit - padY - block.height);
  paintBar(picture, left - padX, top - padY, block.width + 2 * padX, block.height + 2 * padY, '#0b0e13d9');
  drawOver(picture, block, left, top);
}

/** Above this many steps the progress line is one line instead of a bar for each. */
const MAX_BARS = 40;

function paintProgress(
  picture: YuvPicture,
  { step, of }: { step: number; of: number },
  margin: number,
  unit: number,
  theme: Theme,
): void {
  const top = picture.height - 44 * unit;
  const thickness = Math.max(2, 4 * unit);
  const length = picture.width - 2 * margin;
  if (of > MAX_BARS) {
    paintBar(picture, margin, top, length, thickness, theme.track);
    paintBar(picture, margin, top, (length * step) / of, thickness, theme.accent);
    return;
  }
  const gap = 8 * unit;
  const bar = (length - gap * (of - 1)) / of;
  for (let i = 0; i < of; i++) {
    paintBar(picture, margin + i * (bar + gap), top, bar, thickness, i < step ? theme.accent : theme.track);
  }
}

/** A filled rectangle; `color` is `#rrggbb` or `#rrggbbaa`. */
function paintBar(
  picture: YuvPicture,
  left: number,
  top: number,
  width: number,
  height: number,
  color: string,
): void {
  const [w, h] = [Math.max(1, Math.round(width)), Math.max(1, Math.round(height))];
  const pixel = Buffer.from(color.slice(1).padEnd(8, 'f'), 'hex');
  drawOver(
    picture,
    { width: w, height: h, rgba: Buffer.alloc(w * h * 4, pixel) },
    Math.round(left),
    Math.round(top),
  );
}
