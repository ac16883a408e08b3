import sharp from 'sharp';
import { FAMILIES } from './fonts.ts';
import { drawableWords } from './glyphs.ts';

/** A rasterised block of words: RGBA, 8 bits, not premultiplied; its left and right edges are those of the ink. */
export interface TextBlock {
  width: number;
  height: number;
  rgba: Buffer;
  lines: number;
  /** Pixels from the upper edge down to the baseline of the first line, and of the last. */
  firstBaseline: number;
  lastBaseline: number;
}

export interface TextStyle {
  weight: 'Regular' | 'SemiBold' | 'Bold';
  /** Pixels. */
  size: number;
  /** From baseline to baseline, in sizes. */
  leading: number;
  /** `#rrggbb` */
  color: string;
  /** Widest line, in pixels. */
  width: number;
  align?: 'left' | 'centre';
  /** Lines of about one length: for headlines. Without it only a last line that is very short is made longer. */
  balance?: boolean;
  /** BCP 47; which shapes Chinese characters have. */
  language?: string | undefined;
}

/** Text at this many dots per inch makes a point a pixel. */
const POINT_IS_PIXEL = 72;
/** A last line shorter than this share of the longest looks forgotten. */
const SHORT_LINE = 0.4;
/** How much wider than the mean of the lines a column may have to be, so that no line is added. */
const SLACK = [1.05, 1.14, 1.25];

/**
 * Lays words out with Pango, wrapped at `style.width`; a word longer than a line is broken. Letters that no font has are
 * left out. @returns undefined where nothing is left to draw
 */
export async function layoutText(words: string, style: TextStyle): Promise<TextBlock | undefined> {
  const drawn = drawableWords(words).trim();
  if (!drawn) return undefined;
  const block = await rasterise(drawn, style, style.width);
  // Lines that the author broke stay as they are.
  if (block.lines < 2 || drawn.includes('\n')) return block;
  const lengths = lineLengths(block, style);
  const longest = Math.max(...lengths);
  if (!style.balance && (lengths.at(-1) ?? 0) >= longest * SHORT_LINE) return block;
  const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  for (const slack of SLACK) {
    const width = Math.ceil(mean * slack);
    if (width >= longest) break;
    const evened = await rasterise(drawn, style, width);
    if (evened.lines === block.lines) return evened;
  }
  return block;
}

/**
 * Sharp cuts a text to its ink, so that where its baselines lie would be lost. A full stop is set on a line before and
 * on one after the words: they bound the ink, all lines are of one height, and so the baselines are known.
 */
async function rasterise(words: string, style: TextStyle, width: number): Promise<TextBlock> {
  const pitch = Math.round(style.size * style.leading);
  const language = style.language ? ` lang="${style.language}"` : '';
  const text = `<span foreground="${style.color}" line_height="${pitch * 1024}"${language}>.\n${escapeMarkup(words)}\n.</span>`;
  const { data, info } = await sharp({
    text: {
      text,
      font: `${FAMILIES} ${style.weight} ${style.size}`,
      width: Math.max(1, Math.floor(width)),
      dpi: POINT_IS_PIXEL,
      rgba: true,
      wrap: 'word-char',
      ...(style.align ? { align: style.align } : {}),
    },
  })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const lines = Math.max(1, Math.floor(info.height / pitch) - 1);
  const stop = Math.max(1, info.height - (lines + 1) * pitch);
  data.fill(0, 0, stop * info.width * 4);
  data.fill(0, (info.height - stop) * info.width * 4);
  return {
    ...trimSides(data, info.width, info.height),
    lines,
    firstBaseline: stop + pitch,
    lastBaseline: stop + lines * pitch,
  };
}

/** Takes away the empty columns at either side, so that blocks of different sizes line up by their ink. */
function trimSides(
  rgba: Buffer,
  width: number,
  height: number,
): Pick<TextBlock, 'width' | 'height' | 'rgba'> {
  const [left, right] = inkBetween({ rgba, width }, 0, height);
  const kept = Math.max(1, right - left);
  const trimmed = Buffer.alloc(kept * height * 4);
  for (let y = 0; y < height && right > left; y++) {
    rgba.copy(trimmed, y * kept * 4, (y * width + left) * 4, (y * width + right) * 4);
  }
  return { width: kept, height, rgba: trimmed };
}

/** The first column with ink in rows `top` to `bottom`, and the one behind the last; the same twice for none. */
function inkBetween(
  { rgba, width }: { rgba: Buffer; width: number },
  top: number,
  bottom: number,
): [left: number, right: number] {
  let [left, right] = [width, 0];
  for (let y = Math.max(0, top); y < bottom; y++) {
    const row = y * width * 4 + 3;
    for (let x = 0; x < left; x++) if (rgba[row + x * 4]) left = x;
    for (let x = width - 1; x >= right; x--) if (rgba[row + x * 4]) right = x + 1;
  }
  return right > left ? [left, right] : [0, 0];
}

/** How long each line is, by its ink between cap height and baseline. */
function lineLengths(block: TextBlock, { size, leading }: TextStyle): number[] {
  const pitch = Math.round(size * leading);
  return Array.from({ length: block.lines }, (_, i) => {
    const baseline = block.firstBaseline + i * pitch;
    const [left, right] = inkBetween(block, Math.round(baseline - size * 0.7), baseline);
    return right - left;
  });
}

/** Words are words: what looks like markup is shown as it was typed. Control characters are not drawn. */
export function escapeMarkup(words: string): string {
  return words
    .replace(/\r\n?/g, '\n')
    .replace(/\p{Cc}/gu, (character) => (character === '\n' ? '\n' : ' '))
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;');
}
