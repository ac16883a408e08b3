import type { TextStyle } from '../../media/text/text.ts';
import type { SlideContent } from '../plan/slideContent.ts';
import type { Theme } from './themes.ts';

/** Words of one style, and the gap above them. */
export interface Piece {
  words: string;
  style: Omit<TextStyle, 'width'>;
  gap: number;
}

/** Where the words of a slide stand; lengths in pixels. */
export interface Layout {
  /** A pixel of a picture whose short side has 720. */
  unit: number;
  margin: number;
  columnWidth: number;
  anchor: 'bottom' | 'middle';
  /** The baseline of the last line, for `bottom`. */
  bottom: number;
  maxHeight: number;
  titleSize: number;
  textSize: number;
}

/** All lengths go with the short side, so that a slide looks the same at every resolution. */
export function layoutOf(content: SlideContent): Layout {
  const unit = Math.min(content.width, content.height) / 720;
  return content.kind === 'title' ? titleLayout(content, unit) : stepLayout(content, unit);
}

/** Tall and square frames are looked at on a phone: larger words, in a column as wide as the frame. */
const isWide = ({ width, height }: { width: number; height: number }): boolean => width > height * 1.2;

function stepLayout(content: SlideContent, unit: number): Layout {
  const { width, height, caption } = content;
  const wide = isWide(content);
  const margin = Math.round((wide ? 64 : 56) * unit);
  // Captions have a place of their own below the words.
  const bottom = Math.round(height - (caption ? 208 : wide ? 88 : 104) * unit);
  // Words without a picture are the picture.
  if (!content.photo && !content.clip && !content.placeholder) {
    return {
      unit,
      margin,
      columnWidth: Math.min(width - 2 * margin, Math.round(940 * unit)),
      anchor: 'middle',
      bottom,
      maxHeight: height - 2 * (height - bottom),
      titleSize: 60 * unit,
      textSize: 31 * unit,
    };
  }
  return {
    unit,
    margin,
    columnWidth: Math.min(width - 2 * margin, Math.round(760 * unit)),
    anchor: 'bottom',
    bottom,
    maxHeight: bottom - margin,
    titleSize: (wide ? 44 : 50) * unit,
    textSize: (wide ? 25 : 29) * unit,
  };
}

function titleLayout(content: SlideContent, unit: number): Layout {
  const { width, height } = content;
  const wide = isWide(content);
  const margin = Math.round((wide ? 88 : 56) * unit);
  const bottom = Math.round(height - 104 * unit);
  return {
    unit,
    margin,
    columnWidth: Math.min(width - 2 * margin, Math.round(820 * unit)),
    anchor: wide ? 'middle' : 'bottom',
    bottom,
    maxHeight: wide ? height - Math.round(200 * unit) : bottom - Math.round(160 * unit),
    titleSize: 68 * unit,
    textSize: 29 * unit,
  };
}

/** Distances are from baseline to baseline, so that they are the same whatever letters reach above or below. */
export function piecesOf(content: SlideContent, layout: Layout, theme: Theme, scale: number): Piece[] {
  const pieces: Piece[] = [];
  const [titleSize, textSize] = [layout.titleSize * scale, layout.textSize * scale];
  const { counter, title, text, language } = content;
  if (counter) {
    const size = layout.textSize * 0.8;
    const style = { weight: 'SemiBold', size, leading: 1.4, color: theme.accent } as const;
    pieces.push({ words: `${counter.step} / ${counter.of}`, style, gap: 0 });
  }
  if (title?.trim()) {
    const style = {
      weight: 'Bold',
      size: titleSize,
      leading: 1.18,
      color: theme.title,
      balance: true,
      language,
    } as const;
    pieces.push({ words: title, style, gap: titleSize * 1.24 });
  }
  if (text?.trim()) {
    const style = { weight: 'Regular', size: textSize, leading: 1.42, color: theme.text, language } as const;
    pieces.push({ words: text, style, gap: textSize * 1.3 + titleSize * 0.4 });
  }
  return pieces;
}
