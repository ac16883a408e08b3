import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readFontFacts } from '../../../src/media/text/cmap.ts';

const folder = mkdtempSync(join(tmpdir(), 'preview-cmap-'));
const require = createRequire(import.meta.url);
const font = (file: string): string => require.resolve(`@expo-google-fonts/${file}.ttf`);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function has(file: string, characters: string): Promise<boolean[]> {
  const { ranges } = await readFontFacts(font(file));
  return [...characters].map((character) => {
    const code = character.codePointAt(0) ?? 0;
    return ranges.some(([first, last]) => code >= first && code <= last);
  });
}

describe('what a font has', () => {
  it('is read from its character map', async () => {
    expect(await has('noto-sans/400Regular/NotoSans_400Regular', 'aéΩЖह茶א😀')).toEqual([
      ...[true, true, true, true, true],
      ...[false, false, false],
    ]);
    expect(await has('noto-sans-hebrew/400Regular/NotoSansHebrew_400Regular', 'אЖ')).toEqual([true, false]);
    // Beyond U+FFFF: format 12.
    expect(await has('noto-color-emoji/400Regular/NotoColorEmoji_400Regular', '😀茶')).toEqual([true, false]);
  });

  it('has a fingerprint that tells fonts apart', async () => {
    const one = await readFontFacts(font('noto-sans/400Regular/NotoSans_400Regular'));
    const other = await readFontFacts(font('noto-sans/700Bold/NotoSans_700Bold'));
    expect(one.fingerprint).not.toBe(other.fingerprint);
  });

  it.each([
    ['of words', 'This is no font at all, but a letter to its maker.', 'no TrueType'],
    ['cut off', Buffer.from('00010000000a0000', 'hex'), 'cut off'],
    ['without tables', Buffer.concat([Buffer.from('00010000', 'hex'), Buffer.alloc(64)]), 'no table'],
  ])('is not guessed of a file %s', async (name, bytes, message) => {
    const path = join(folder, `${name}.ttf`);
    writeFileSync(path, bytes);
    await expect(readFontFacts(path)).rejects.toThrow(message);
  });
});
