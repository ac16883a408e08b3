import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadFonts } from '../../../src/media/fonts.ts';
import { layoutText } from '../../../src/media/text.ts';
import { boundOfHeight } from '../../../src/render/parts/wordsBound.ts';

const style = { size: 25, leading: 1.42, color: '#ffffff' } as const;

describe('the bound of the height of words', () => {
  beforeAll(() => loadFonts());

  it.each(['Regular', 'SemiBold', 'Bold'] as const)('is not exceeded by any words, %s', async (weight) => {
    const words = fc.string({ unit: fc.constantFrom(...'aWÆ@il .-%Üß&<m\n'), minLength: 1, maxLength: 200 });
    const widths = fc.integer({ min: 60, max: 800 });
    await fc.assert(
      fc.asyncProperty(words, widths, async (text, width) => {
        if (text.trim() === '') return;
        const piece = { words: text, style: { ...style, weight }, gap: 0 };
        const bound = boundOfHeight([piece], width);
        const { lines = 0 } = (await layoutText(text, { ...piece.style, width })) ?? {};
        expect(bound).toBeGreaterThanOrEqual(lines * Math.round(style.size * style.leading));
      }),
      { numRuns: 60 },
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
    expect(boundOfHeight([title, text], 760)).toBeLessThan(400);
  });

  it.each(['你好', 'مرحبا', '😀', 'e\u0301', 'a\u00adb'])('is not known of %j', (words) => {
    expect(boundOfHeight([{ words, style: { ...style, weight: 'Bold' }, gap: 0 }], 760)).toBeUndefined();
  });
});
