import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadFonts } from '../../../src/media/text/fonts.ts';
import { layoutText } from '../../../src/media/text/text.ts';
import { boundOfHeight, isPlain } from '../../../src/render/parts/wordsBound.ts';

const PLAIN_LETTERS = Array.from({ length: 0x250 }, (_, code) => String.fromCodePoint(code)).filter(
  (letter) => isPlain(letter) && letter.trim() !== '',
);
const style = { size: 25, leading: 1.42, color: '#ffffff' } as const;

describe('the bound of the height of words', () => {
  beforeAll(() => loadFonts());

  it.each(['Regular', 'SemiBold', 'Bold'] as const)('is not exceeded by any words, %s', async (weight) => {
    const few = fc.string({ unit: fc.constantFrom(...'aWÆ@il .-%Üß&<m\n'), minLength: 1, maxLength: 200 });
    const all = fc.string({
      unit: fc.constantFrom(...PLAIN_LETTERS, ' ', ' '),
      minLength: 1,
      maxLength: 200,
    });
    // One letter again and again is as wide as what is said of it, without anything to make up for it.
    const same = fc
      .tuple(
        fc.constantFrom(...PLAIN_LETTERS),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 40 }),
      )
      .map(([letter, length, count]) => Array(count).fill(letter.repeat(length)).join(' '));
    const widths = fc.integer({ min: 60, max: 800 });
    const sizes = fc.constantFrom(6, 13.5, 25, 44, 60);
    await fc.assert(
      fc.asyncProperty(fc.oneof(few, all, same), widths, sizes, async (text, width, size) => {
        if (text.trim() === '' || width < 3 * size) return;
        const piece = { words: text, style: { ...style, size, weight }, gap: 0 };
        const bound = boundOfHeight([piece], width);
        const { lines = 0 } = (await layoutText(text, { ...piece.style, width })) ?? {};
        expect(bound).toBeGreaterThanOrEqual(lines * Math.round(size * style.leading));
      }),
      { numRuns: 200 },
    );
  });

  it('is near enough to spare a step of usual words the layout', () => {
    const title = {
      words: 'Pour in circles',
      style: { ...style, size: 44, weight: 'Bold' as const },
      gap: 18,
    };
    const text = {
      words: 'Start in the middle and move outwards, slowly and evenly.',
      style: { ...style, weight: 'Regular' as const },
      gap: 25,
    };
    expect(boundOfHeight([title, text], 760)).toBeLessThan(180);
  });

  it('is not known of a column that is hardly wider than a letter', () => {
    expect(boundOfHeight([{ words: 'a', style: { ...style, weight: 'Bold' }, gap: 0 }], 74)).toBeUndefined();
  });

  it.each(['你好', 'مرحبا', '😀', 'e\u0301', 'a\u00adb'])('is not known of %j', (words) => {
    expect(boundOfHeight([{ words, style: { ...style, weight: 'Bold' }, gap: 0 }], 760)).toBeUndefined();
  });
});
