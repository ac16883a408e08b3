import { beforeAll, describe, expect, it } from 'vitest';
import { configureSharp } from '../../../src/media/picture/image.ts';
import { loadFonts } from '../../../src/media/text/fonts.ts';
import { drawableWords, isRightToLeft, missingScripts } from '../../../src/media/text/glyphs.ts';
import { escapeMarkup, layoutText, type TextBlock } from '../../../src/media/text/text.ts';

beforeAll(async () => {
  configureSharp();
  await loadFonts();
});

const style = { weight: 'Regular', size: 40, leading: 1.4, color: '#ffffff', width: 600 } as const;

async function lay(
  words: string,
  change: Partial<Parameters<typeof layoutText>[1]> = {},
): Promise<TextBlock> {
  const block = await layoutText(words, { ...style, ...change });
  if (!block) throw new Error('nothing was laid out');
  return block;
}

describe('words that the fonts have', () => {
  it.each([
    '',
    'Plain words, 123, 100 % – “quoted” …',
    'Ελληνικά Кириллица العربية עברית हिन्दी Tiếng Việt',
    'Ünïcödé ł ß œ',
    '✓ ✗ ★ ● → ↔ ≈ ≤ ∞ √ ⌘ ⚠ ♪ ①',
    '😀 ☕ 🇪🇺 ✓ → ± 👩🏽‍🍳 👨‍👩‍👧 🏳️‍🌈 5️⃣',
  ])('are drawn as they are: %j', (words) => {
    expect(missingScripts(words)).toEqual([]);
    expect(drawableWords(words)).toBe(words);
  });
});

describe('words that no font here has', () => {
  it.each([
    ['你好', ['Chinese characters']],
    ['こんにちは 日本', ['Japanese (Hiragana)', 'Chinese characters']],
    ['안녕', ['Korean (Hangul)']],
    ['Words and ไทย', ['Thai']],
    ['ᚠᚢᚦ', ['Runic']],
    ['A sign: \u{10330}', ['the sign U+10330']],
  ])('are named: %j', (words, names) => {
    expect(missingScripts(words).map(({ name }) => name)).toEqual(names);
  });

  it.each([
    ['Tea is 茶, in China', 'Tea is …, in China'],
    ['日本 and more', '… and more'],
    ['This is ไทย', 'This is …'],
    ['你好 世界', ''],
    ['日本語。', ''],
  ])('are left out of %j', (words, drawn) => {
    expect(drawableWords(words)).toBe(drawn);
  });

  it('leave nothing to be laid out where there is nothing else', async () => {
    expect(await layoutText('안녕하세요', style)).toBeUndefined();
  });
});

describe('a block of words', () => {
  it('joins the letters of Arabic', async () => {
    // Apart they are wider.
    const [joined, apart] = [await lay('ببببب'), await lay([...'ببببب'].join('\u200c'))];
    expect(joined.width).toBeLessThan(apart.width * 0.75);
  });

  it.each(['xxx', 'Ágy', 'gjpq', 'مرحبا', 'हिन्दी', '😀'])('knows the baseline of %j', async (words) => {
    const block = await lay(words);
    const pitch = Math.round(style.size * style.leading);
    expect(block.lines).toBe(1);
    expect(block.firstBaseline).toBe(block.lastBaseline);
    expect(Math.abs(block.firstBaseline - pitch)).toBeLessThanOrEqual(style.size * 0.2);
  });

  it('ends at its baseline where no letter reaches below', async () => {
    const { rgba, width, lastBaseline, height } = await lay('HIH');
    const inkBelow = rgba.subarray((lastBaseline + 1) * width * 4, height * width * 4);
    expect(inkBelow.every((value) => value === 0)).toBe(true);
    const above = rgba.subarray((lastBaseline - 3) * width * 4, (lastBaseline - 2) * width * 4);
    expect(above.some((value) => value > 200)).toBe(true);
  });

  it('has lines of one height, whatever stands in them', async () => {
    const block = await lay('one\n😀 مرحبا\nthree');
    expect(block.lines).toBe(3);
    expect(block.lastBaseline - block.firstBaseline).toBe(2 * Math.round(style.size * style.leading));
  });

  it('leaves no last line with a single short word', async () => {
    const words = 'Seven steps to a clean and sweet cup with what is in the kitchen';
    const [plain, evened] = [
      await lay(words, { width: 900 }),
      await lay(words, { width: 900, balance: true }),
    ];
    expect(plain.lines).toBe(2);
    expect(evened.lines).toBe(2);
    expect(evened.width).toBeLessThan(800);
  });

  it('keeps the lines that its author broke', async () => {
    expect((await lay('a\nlonger line\nb', { balance: true })).lines).toBe(3);
  });

  it('shows markup as it was typed', async () => {
    const [typed, plain] = [await lay('<b>x</b> &amp;'), await lay('x &')];
    expect(typed.width).toBeGreaterThan(plain.width * 2);
    expect(escapeMarkup('<b>&amp;')).toBe('&lt;b&gt;&amp;amp;');
  });
});

it.each([
  ['مرحبا 123', true],
  ['  «עברית»', true],
  ['160 غرام', true],
  ['Coffee عربية', false],
  ['123 – 45', false],
  ['', false],
])('knows that %j is written from right to left: %s', (words, expected) => {
  expect(isRightToLeft(words)).toBe(expected);
});
