import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { useFontconfig } from '../../config.ts';
import { readFontFacts } from './cmap.ts';
import { addCharacters, nameOptionalFonts } from './glyphs.ts';

const require = createRequire(import.meta.url);
const PACKAGES = '@expo-google-fonts';
/** The main font, with Latin, Greek and Cyrillic. The others are used where it has no glyph. */
const MAIN = ['400Regular', '600SemiBold', '700Bold'].map(
  (weight) => `noto-sans/${weight}/NotoSans_${weight}.ttf`,
);
const OTHERS = [
  'noto-sans-arabic/400Regular/NotoSansArabic_400Regular.ttf',
  'noto-sans-arabic/700Bold/NotoSansArabic_700Bold.ttf',
  'noto-sans-hebrew/400Regular/NotoSansHebrew_400Regular.ttf',
  'noto-sans-hebrew/700Bold/NotoSansHebrew_700Bold.ttf',
  'noto-sans-symbols/400Regular/NotoSansSymbols_400Regular.ttf',
  'noto-sans-symbols-2/400Regular/NotoSansSymbols2_400Regular.ttf',
  'noto-sans-math/400Regular/NotoSansMath_400Regular.ttf',
  'noto-color-emoji/400Regular/NotoColorEmoji_400Regular.ttf',
];
/**
 * Font families in the order in which they are searched for a letter; all others come after them. Without it, a font for
 * formulas, whose Arabic letters do not join, could be used instead of one for Arabic.
 */
export const FAMILIES = ['', ' Arabic', ' Hebrew', ' Symbols', ' Symbols 2', ' Math']
  .map((name) => `Noto Sans${name}`)
  .join();
/** Weights of a font package that are used. */
const WEIGHTS = ['400Regular', '700Bold'];

/**
 * Loads the fonts that come with the package, those of font packages that are installed beside them
 * (`@expo-google-fonts/noto-sans-…`), and those of a folder. Fonts of the machine are not used: every worker must make the
 * same pictures. Pango keeps fonts for the life of the process, so do it once.
 * @param folder TTF and OTF files for more scripts
 * @throws Error where a file of the folder is no font
 */
export async function loadFonts(folder?: string): Promise<void> {
  useFontconfig(fileURLToPath(new URL('../../../fonts/fonts.conf', import.meta.url)));
  const others = folder === undefined ? [] : await readdir(folder);
  const added = [
    ...(await installedFonts()),
    ...others
      .filter((name) => /\.(ttf|otf)$/i.test(name))
      .sort()
      .map((name) => join(folder ?? '', name)),
  ];
  for (const file of MAIN)
    addCharacters((await register(require.resolve(`${PACKAGES}/${file}`))).ranges, true);
  for (const file of OTHERS)
    addCharacters((await register(require.resolve(`${PACKAGES}/${file}`))).ranges, false);
  const fingerprints: string[] = [];
  for (const path of added) {
    const { ranges, fingerprint } = await register(path);
    addCharacters(ranges, false);
    fingerprints.push(fingerprint);
  }
  nameOptionalFonts(
    fingerprints.length > 0
      ? createHash('sha256').update(fingerprints.join()).digest('hex').slice(0, 16)
      : undefined,
  );
}

/** Makes a font known to Pango. */
async function register(fontfile: string): ReturnType<typeof readFontFacts> {
  const facts = await readFontFacts(fontfile).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`The font ${fontfile} cannot be used: ${reason}. Remove or replace it.`, {
      cause,
    });
  });
  await sharp({ text: { text: 'a', font: 'Noto Sans 10', fontfile, dpi: 72 } })
    .raw()
    .toBuffer();
  return facts;
}

/** Files of the packages for single scripts that lie beside those of our own. */
async function installedFonts(): Promise<string[]> {
  const beside = dirname(dirname(require.resolve(`${PACKAGES}/noto-sans/package.json`)));
  const own = new Set(OTHERS.map((file) => file.split('/')[0]));
  const packages = (await readdir(beside)).filter((name) => /^noto-sans-/.test(name) && !own.has(name));
  const files = packages.sort().flatMap((name) => WEIGHTS.map((weight) => join(beside, name, weight)));
  const found = await Promise.all(
    files.map(async (path) =>
      (await readdir(path).catch(() => []))
        .filter((name) => name.endsWith('.ttf'))
        .map((name) => join(path, name)),
    ),
  );
  return found.flat();
}
