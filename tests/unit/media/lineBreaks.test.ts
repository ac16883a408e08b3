import { beforeAll, describe, expect, it } from 'vitest';
import { loadFonts } from '../../../src/media/text/fonts.ts';
import { withBreaks } from '../../../src/media/text/lineBreaks.ts';
import { layoutText } from '../../../src/media/text/text.ts';

describe('a line may be broken', () => {
  it.each([
    ['Thai', 'ชงกาแฟด้วยน้ำร้อนช้าๆ', 'ชง|กาแฟ|ด้วย|น้ำ|ร้อน|ช้าๆ'],
    ['Lao', 'ກາເຟທີ່ຊົງດ້ວຍມື', 'ກາເຟ|ທີ່|ຊົງ|ດ້ວຍ|ມື'],
    ['Khmer', 'កាហ្វេដែលឆុង។ចាក់ទឹក', 'កាហ្វេ|ដែល|ឆុង។ចាក់ទឹក'],
    ['Burmese', 'ကော်ဖီကိုလက်ဖြင့်', 'ကော်ဖီ|ကို|လက်|ဖြင့်'],
    ['Thai beside other words', 'Use น้ำร้อน (ช้าๆ) 20 g', 'Use น้ำ|ร้อน (ช้าๆ) 20 g'],
  ])('between two words of %s', (_script, words, broken) => {
    expect(withBreaks(words)).toBe(broken.replaceAll('|', '\u200b'));
  });

  it.each([
    '',
    'Plain words, 123, 100 % – “quoted” … https://example.org/a-b',
    'Ελληνικά Кириллица العربية עברית हिन्दी Tiếng Việt',
    '茶を淹れる 안녕하세요',
    '👩🏽‍🍳 a\u200bb',
  ])('only where its spaces and letters allow it already, in %j', (words) => {
    expect(withBreaks(words)).toBe(words);
  });
});

describe('Pango', () => {
  beforeAll(() => loadFonts());

  it('breaks lines there and nowhere else, and draws nothing there', async () => {
    const style = { weight: 'Regular', size: 40, leading: 1.4, color: '#ffffff' } as const;
    const line = 'hamburg'.repeat(3);
    const wanted = await layoutText(`${line}\n${line}`, { ...style, width: 2000 });
    // There is room for some more letters, but not for a word.
    const width = (wanted?.width ?? 0) * 1.2;
    const lay = (between: string) => layoutText(Array(6).fill('hamburg').join(between), { ...style, width });
    expect(await lay('\u200b')).toEqual(wanted);
    expect(await lay('')).not.toEqual(wanted);
  });
});
