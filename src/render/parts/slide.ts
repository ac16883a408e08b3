import type { Warning } from '../../job/jobRecord.ts';
import { coverPicture, drawOver, type RgbPicture } from '../../media/image.ts';
import { layoutText, type TextBlock, type TextStyle } from '../../media/text.ts';
import { type Theme, type ThemeName, themes } from '../themes.ts';

/** Everything that decides a slide's pixels, and so its key. */
export interface SlideContent {
  kind: 'title' | 'step';
  width: number;
  height: number;
  theme: ThemeName;
  title?: string | undefined;
  text?: string | undefined;
  /** Digest of the photo that fills the frame. */
  photo?: string | undefined;
  /** Which step this is, from 1, of how many. */
  counter?: { step: number; of: number } | undefined;
}

export interface Slide {
  picture: RgbPicture;
  warnings: Warning[];
}

/** Composes a slide: a photo that fills the frame, a veil that keeps words readable, the words, the progress line. */
export async function composeSlide(content: SlideContent, photo: Buffer | undefined): Promise<Slide> {
  const theme: Theme = themes[content.theme];
  const { width, height } = content;
  // All lengths are in units of a 720-pixel short side, so that a slide looks the same at every resolution.
  const unit = Math.min(width, height) / 720;
  const layout = content.kind === 'title' ? titleLayout(content, unit) : stepLayout(content, unit);
  const [picture, words] = await Promise.all([
    photo ? coverPicture(photo, width, height) : paintCanvas(width, height, theme),
    fitWords(content, layout, theme),
  ]);

  const top =
    layout.anchor === 'bottom' ? layout.bottom - words.height : Math.round((height - words.height) / 2);
  paintVeil(picture, theme, { anchor: layout.anchor, top, right: layout.left + words.width }, unit);
  let y = top;
  for (const { block, gap } of words.blocks) {
    y += gap;
    drawOver(picture, block, layout.left, y);
    y += block.height;
  }
  if (content.kind === 'title')
    paintBar(picture, layout.left, top - 34 * unit, 72 * unit, 6 * unit, theme.accent);
  if (content.counter) paintProgress(picture, content.counter, layout.margin, unit, theme);
  return { picture, warnings: words.warnings };
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

function stepLayout({ width, height }: SlideContent, unit: number): Layout {
  const margin = Math.round(64 * unit);
  const bottom = Math.round(height - 84 * unit);
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
  for (const scale of SCALES) {
    words = await setWords(content, layout, theme, scale);
    if (words.height <= layout.maxHeight) return words;
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
  words.warnings.push({
    code: 'text_shortened',
    message,
    ...(content.counter ? { step: content.counter.step - 1 } : {}),
  });
  return words;
}

/** Cuts at a word's end where there is one near, and never inside a character. */
function shorten(text: string, keep: number): string {
  const characters = [...text.replace(/…$/, '')];
  const cut = characters.slice(0, Math.floor(characters.length * keep)).join('');
  const atWord = cut.replace(/\s+\S*$/, '');
  const best = atWord.length > cut.length * 0.6 ? atWord : cut;
  return best === '' ? '' : `${best}…`;
}

async function setWords(content: SlideContent, layout: Layout, theme: Theme, scale: number): Promise<Words> {
  const pieces: { words: string; style: Omit<TextStyle, 'width'>; gap: number }[] = [];
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
  const blocks = await Promise.all(
    pieces.map(async ({ words, style, gap }, i) => ({
      block: await layoutText(words, { ...style, width: layout.columnWidth }),
      gap: i === 0 ? 0 : Math.round(gap),
    })),
  );
  const height = blocks.reduce((sum, { block, gap }) => sum + block.height + gap, 0);
  const width = Math.max(0, ...blocks.map(({ block }) => block.width));
  return { blocks, width, height, warnings: [] };
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

const smoothstep = (t: number): number => {
  const clamped = Math.min(1, Math.max(0, t));
  return clamped * clamped * (3 - 2 * clamped);
};

/** Mixes the veil's colour over the photo: full behind the words, fading out above and beside them. */
function paintVeil(
  picture: RgbPicture,
  theme: Theme,
  { anchor, top, right }: { anchor: Layout['anchor']; top: number; right: number },
  unit: number,
): void {
  const { width, height, data } = picture;
  const across = Float32Array.from({ length: width }, (_, x) => {
    const beyond = smoothstep((x - right - 16 * unit) / Math.max(1, (width - right) * 0.7));
    return anchor === 'middle' ? 1 - 0.9 * beyond : 1 - 0.82 * beyond;
  });
  const fade = 190 * unit;
  for (let y = 0; y < height; y++) {
    const down =
      anchor === 'middle' ? 1 : smoothstep((y - (top - 16 * unit - fade)) / fade) * (1 + 0.16 * (y / height));
    if (down === 0) continue;
    let at = y * width * 3;
    for (let x = 0; x < width; x++) {
      const alpha = Math.min(0.95, theme.veilOpacity * down * (across[x] as number));
      for (let c = 0; c < 3; c++, at++) {
        const below = data[at] as number;
        data[at] = below + ((theme.veil[c] as number) - below) * alpha + 0.5;
      }
    }
  }
}

/** Above this many steps the progress line is one line instead of a bar for each. */
const MAX_BARS = 40;

function paintProgress(
  picture: RgbPicture,
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
  picture: RgbPicture,
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
