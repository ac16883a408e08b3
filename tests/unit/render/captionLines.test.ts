import { describe, expect, it } from 'vitest';
import { breakCaptions, cellsOf } from '../../../src/render/timeline/captionLines.ts';

const english =
  'Pour in slow circles from the middle to the rim and back. Stop at one hundred and sixty grams, and wait until the bed can be seen again.';
const japanese =
  'コーヒーの粉を二十グラム量り、海塩くらいの粗さに挽きます。高価なミルよりも秤のほうが大切です。「ゆっくり」注いでください。';
const address = `See https://example.org/${'a'.repeat(90)} for more.`;

describe('the lines of captions', () => {
  it.each([english, japanese, address, 'word '.repeat(200), '', 'One.', '茶'.repeat(300)])(
    'are at most two of at most 42 cells each, and say every word: %.40s',
    (words) => {
      const captions = breakCaptions(words);
      for (const lines of captions) {
        expect(lines.length).toBeGreaterThanOrEqual(1);
        expect(lines.length).toBeLessThanOrEqual(2);
        for (const line of lines) expect(cellsOf(line)).toBeLessThanOrEqual(42);
      }
      expect(captions.flat().join('').replace(/\s/g, '')).toBe(words.replace(/\s/g, ''));
    },
  );

  it('end with a sentence or a clause where they can', () => {
    expect(breakCaptions(english).map((lines) => lines.join(' '))).toEqual([
      'Pour in slow circles from the middle to the rim and back.',
      'Stop at one hundred and sixty grams, and wait until the bed can be seen again.',
    ]);
    const clauses =
      'When the water has gone through after about three minutes, lift the paper filter out, and then swirl the carafe once.';
    expect(breakCaptions(clauses).map((lines) => lines.join(' '))).toEqual([
      'When the water has gone through after about three minutes,',
      'lift the paper filter out, and then swirl the carafe once.',
    ]);
  });

  it('are about as long as each other', () => {
    const [lines = []] = breakCaptions('Pour in slow circles from the middle to the rim and back.');
    expect(lines).toHaveLength(2);
    expect(Math.abs(cellsOf(lines[0] ?? '') - cellsOf(lines[1] ?? ''))).toBeLessThanOrEqual(8);
  });

  it('do not begin with a full stop or end with an opening bracket', () => {
    for (const line of breakCaptions(japanese).flat()) {
      expect(line).not.toMatch(/^[、。」]/u);
      expect(line).not.toMatch(/「$/u);
    }
  });

  it.each([
    ['Thai', 'ชงกาแฟด้วยน้ำร้อนช้าๆแล้วรอสามนาทีจากนั้นกรองและดื่มทันทีก่อนที่กาแฟจะเย็น'],
    ['Lao', 'ກາເຟທີ່ຊົງດ້ວຍມືຕ້ອງໃຊ້ນ້ຳຮ້ອນແລະລໍຖ້າສາມນາທີກ່ອນດື່ມຈຶ່ງຈະໄດ້ລົດຊາດດີ'],
    ['Khmer', 'កាហ្វេដែលឆុងដោយដៃត្រូវការទឹកក្តៅហើយរង់ចាំបីនាទីមុនពេលផឹកដើម្បីឱ្យមានរសជាតិល្អ'],
  ])('end with a word of %s, which has no spaces', (_script, sentence) => {
    const words = sentence.repeat(4);
    const ends = new Set(
      [...new Intl.Segmenter('en', { granularity: 'word' }).segment(words)].map(({ index }) => index),
    );
    const lines = breakCaptions(words).flat();
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.join('')).toBe(words);
    let at = 0;
    for (const line of lines) {
      expect(ends, `before "${line}"`).toContain(at);
      at += line.length;
    }
  });

  it('count a Chinese character as two', () => {
    expect(['abc', '茶', 'é', 'e\u0301', '안녕'].map(cellsOf)).toEqual([3, 2, 1, 1, 4]);
  });
});
