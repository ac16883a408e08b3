import { open } from 'node:fs/promises';

/** The characters that a font has glyphs for, and a number that changes with the font's bytes. */
export interface FontFacts {
  /** Ranges of code points, both ends included. */
  ranges: [first: number, last: number][];
  /** The checksum of the whole file, which fonts carry in their `head` table, and its size. */
  fingerprint: string;
}

/**
 * Reads the character map of a TTF or OTF file (OpenType 1.9: cmap, formats 4 and 12; head). Only the tables that are
 * asked for are read: fonts for Chinese have 10 MB.
 * @throws Error where the file is no such font
 */
export async function readFontFacts(path: string): Promise<FontFacts> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const read = async (offset: number, length: number): Promise<Buffer> => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
      if (bytesRead < length) throw new Error('it is cut off');
      return buffer;
    };
    const header = await read(0, 12);
    if (![0x00010000, 0x4f54544f, 0x74727565].includes(header.readUInt32BE(0))) {
      throw new Error('it is no TrueType or OpenType font');
    }
    const count = header.readUInt16BE(4);
    const directory = await read(12, count * 16);
    const table = (tag: string): Promise<Buffer> => {
      for (let at = 0; at < directory.length; at += 16) {
        if (directory.toString('latin1', at, at + 4) !== tag) continue;
        return read(directory.readUInt32BE(at + 8), directory.readUInt32BE(at + 12));
      }
      throw new Error(`it has no table "${tag}"`);
    };
    const head = await table('head');
    return {
      ranges: rangesOf(await table('cmap')),
      fingerprint: `${head.readUInt32BE(8).toString(16)}-${size}`,
    };
  } finally {
    await file.close();
  }
}

function rangesOf(cmap: Buffer): [number, number][] {
  const ranges: [number, number][] = [];
  for (let i = 0; i < cmap.readUInt16BE(2); i++) {
    const table = cmap.subarray(cmap.readUInt32BE(4 + i * 8 + 4));
    const format = table.readUInt16BE(0);
    if (format === 4) ranges.push(...segmentsOf(table));
    if (format === 12) {
      for (let group = 0; group < table.readUInt32BE(12); group++) {
        ranges.push([table.readUInt32BE(16 + group * 12), table.readUInt32BE(20 + group * 12)]);
      }
    }
  }
  return ranges;
}

/** Of format 4; the last segment is 0xffff, which is no character. */
function segmentsOf(table: Buffer): [number, number][] {
  const count = table.readUInt16BE(6) / 2;
  return Array.from({ length: count }, (_, i): [number, number] => [
    table.readUInt16BE(16 + (count + i) * 2),
    table.readUInt16BE(14 + i * 2),
  ]).filter(([first]) => first !== 0xffff);
}
