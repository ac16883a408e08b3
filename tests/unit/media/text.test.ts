import { describe, expect, it } from 'vitest';
import { scriptsWithoutFont } from '../../../src/media/text.ts';

describe('scripts without a font', () => {
  it.each([
    '',
    'Plain words, 123, 100 % – “quoted” …',
    'Ελληνικά Кириллица العربية עברית हिन्दी',
    'Ünïcödé ł ß œ',
    '😀 ☕ 🇪🇺 ✓ → ±',
  ])('are none in %j', (words) => {
    expect(scriptsWithoutFont(words)).toEqual([]);
  });

  it.each([
    ['你好', ['Han']],
    ['こんにちは 日本', ['Han', 'Hiragana']],
    ['안녕', ['Hangul']],
    ['Words and ไทย', ['Thai']],
    ['ᚠᚢᚦ', ['an unusual script']],
  ])('are named in %j', (words, scripts) => {
    expect(scriptsWithoutFont(words)).toEqual(scripts);
  });
});
