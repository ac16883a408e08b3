import { open } from 'node:fs/promises';
import { elementAt, SEGMENT } from './elements.ts';

/** When a chapter begins and ends, in seconds, and what it is called. */
export interface WebmChapter {
  startSeconds: number;
  endSeconds: number;
  title: string;
}

// Element IDs of Matroska (RFC 9559, 5.1).
const ID = {
  cues: 0x1c53bb6b,
  empty: 0xec,
  chapters: 0x1043a770,
  edition: 0x45b9,
  atom: 0xb6,
  uid: 0x73c4,
  start: 0x91,
  end: 0x92,
  display: 0x80,
  title: 0x85,
  language: 0x437c,
} as const;

/** More than the index of a file with that many keyframes takes, and the chapters. */
export function reservedBytes(keyframes: number, chapters: readonly WebmChapter[]): number {
  return 1024 + 64 * keyframes + chaptersElement(chapters).length;
}

/**
 * Puts chapters into a finished WebM file, into the space that was reserved for its index and is left behind it
 * (`reserve_index_space` of FFmpeg's muxer). Players read it before the first picture.
 * @throws Error where there is no such space
 */
export async function writeChapters(
  path: string,
  chapters: readonly WebmChapter[],
  reserved: number,
): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const head = Buffer.alloc(reserved + 4096);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    const { at, length } = spaceBehindCues(head.subarray(0, bytesRead));
    const element = chaptersElement(chapters);
    const rest = length - element.length;
    if (rest < 2) throw new Error('there is no room for chapters in the file');
    await file.write(
      Buffer.concat([element, emptyElement(rest)]),
      0,
      element.length + emptyElement(rest).length,
      at,
    );
  } finally {
    await file.close();
  }
}

function spaceBehindCues(head: Buffer): { at: number; length: number } {
  let wasCues = false;
  for (let element = elementAt(head, 0); element; ) {
    const { id, at, start, end } = element;
    if (wasCues && id === ID.empty) return { at, length: end - at };
    wasCues = id === ID.cues;
    // The segment's elements are looked at one by one.
    element = elementAt(head, id === SEGMENT ? start : end);
  }
  throw new Error('there is no room behind the index of the file');
}

/** All sizes are written in eight bytes, so that what they hold need not be known. */
function element(id: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const name = Buffer.from(id.toString(16).padStart(2 * Math.ceil(id.toString(16).length / 2), '0'), 'hex');
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE((1n << 56n) | BigInt(content.length));
  return Buffer.concat([name, size, content]);
}

const unsigned = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(Math.round(value)));
  return bytes;
};

/** An element of nothing, `length` bytes in all. */
function emptyElement(length: number): Buffer {
  if (length >= 9) return element(ID.empty, Buffer.alloc(length - 9));
  return Buffer.concat([Buffer.from([ID.empty, 0x80 | (length - 2)]), Buffer.alloc(length - 2)]);
}

function chaptersElement(chapters: readonly WebmChapter[]): Buffer {
  const atoms = chapters.map(({ startSeconds, endSeconds, title }, i) =>
    element(
      ID.atom,
      element(ID.uid, unsigned(i + 1)),
      element(ID.start, unsigned(startSeconds * 1e9)),
      element(ID.end, unsigned(endSeconds * 1e9)),
      element(ID.display, element(ID.title, Buffer.from(title)), element(ID.language, Buffer.from('und'))),
    ),
  );
  return element(ID.chapters, element(ID.edition, ...atoms));
}
