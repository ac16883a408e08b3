import type { Warning } from '../../job/jobRecord.ts';
import { missingScripts } from '../../media/text/glyphs.ts';
import { layoutText, type TextBlock } from '../../media/text/text.ts';
import type { SlideContent } from '../plan/slideContent.ts';
import { type Theme, themeOf } from './themes.ts';
import { type Layout, layoutOf, piecesOf } from './wordsLayout.ts';

export interface Words {
  /** Each with how far its first baseline lies below the last one of the block before. */
  blocks: { block: TextBlock; gap: number }[];
  width: number;
  /** From above the capitals of the first line to the baseline of the last. */
  height: number;
  warnings: Warning[];
}

/** Sizes to try, from designed to just legible (15 px on a 720-line picture). */
const SCALES = [1, 0.9, 0.8, 0.7, 0.6];

/** Sets the words as large as they fit; text that does not fit at the smallest size is shortened, with a warning. */
export async function fitWords(content: SlideContent): Promise<Words> {
  const [layout, theme] = [layoutOf(content), themeOf(content)];
  let words: Words = { blocks: [], width: 0, height: 0, warnings: [] };
  const warnings = scriptWarnings(content);
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

/** A warning for each script that no font of this process has; its letters are left out. */
function scriptWarnings(content: SlideContent): Warning[] {
  const words = [content.title, content.text, ...(content.caption ?? [])].join(' ');
  return missingScripts(words).map(({ name, font }) => ({
    code: 'script_missing',
    message: `No font here has ${name}: left out of the picture. Operators: ${font ? `install @expo-google-fonts/${font} beside the worker, or ` : ''}put a font that has it into PREVIEW_FONTS_DIR.`,
    ...stepOf(content),
  }));
}

/** Cuts at a word's end where there is one near, and never inside a character. */
function shorten(text: string, keep: number): string {
  const characters = [...new Intl.Segmenter().segment(text.replace(/…$/, ''))];
  const cut = characters
    .slice(0, Math.floor(characters.length * keep))
    .map(({ segment }) => segment)
    .join('');
  const atWord = cut.replace(/[\s\u200b]+[^\s\u200b]*$/, '');
  const best = (atWord.length > cut.length * 0.6 ? atWord : cut).replace(/[\s,;:–—-]+$/, '');
  return best === '' ? '' : `${best}…`;
}

async function setWords(content: SlideContent, layout: Layout, theme: Theme, scale: number): Promise<Words> {
  const laid = await Promise.all(
    piecesOf(content, layout, theme, scale).map(async ({ words, style, gap }) => ({
      block: await layoutText(words, { ...style, width: layout.columnWidth }),
      size: style.size,
      gap: Math.round(gap),
    })),
  );
  const blocks = laid.flatMap(({ block, size, gap }) => (block ? [{ block, size, gap }] : []));
  // Capitals of Noto Sans are 0.714 of its size.
  const capitals = Math.round((blocks[0]?.size ?? 0) * 0.72);
  const set = blocks.map(({ block, gap }, i) => ({ block, gap: i === 0 ? capitals : gap }));
  const height = set.reduce((sum, { block, gap }) => sum + gap + block.lastBaseline - block.firstBaseline, 0);
  const width = Math.max(0, ...set.map(({ block }) => block.width));
  return { blocks: set, width, height, warnings: [] };
}
