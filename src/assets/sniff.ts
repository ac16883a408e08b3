import { boxAt } from '../media/mp4/walkBoxes.ts';

/** What strangers may send, by what the bytes say. */
export const mediaFormats = {
  jpeg: { kind: 'image', mediaType: 'image/jpeg' },
  png: { kind: 'image', mediaType: 'image/png' },
  webp: { kind: 'image', mediaType: 'image/webp' },
  avif: { kind: 'image', mediaType: 'image/avif' },
  wav: { kind: 'audio', mediaType: 'audio/wav', demuxer: 'wav' },
  mp3: { kind: 'audio', mediaType: 'audio/mpeg', demuxer: 'mp3' },
  m4a: { kind: 'audio', mediaType: 'audio/mp4', demuxer: 'mov' },
  ogg: { kind: 'audio', mediaType: 'audio/ogg', demuxer: 'ogg' },
  flac: { kind: 'audio', mediaType: 'audio/flac', demuxer: 'flac' },
  mp4: { kind: 'video', mediaType: 'video/mp4', demuxer: 'mov' },
  webm: { kind: 'video', mediaType: 'video/webm', demuxer: 'matroska' },
} as const satisfies Record<
  string,
  { kind: 'image' | 'audio' | 'video'; mediaType: string; demuxer?: string }
>;

export type MediaFormat = keyof typeof mediaFormats;

export const isPicture = (format: MediaFormat): format is 'jpeg' | 'png' | 'webp' | 'avif' =>
  mediaFormats[format].kind === 'image';

/** The FFmpeg demuxer that opens a sound or a video. */
export function demuxerOf(format: MediaFormat): string {
  const entry = mediaFormats[format];
  if (!('demuxer' in entry)) throw new Error(`${format} is a picture and has no demuxer`);
  return entry.demuxer;
}

/** How many bytes from the start {@link sniffFormat} wants to see. */
export const SNIFF_BYTES = 64;

/** The format of a file by its first bytes; undefined for everything that is not accepted. */
export function sniffFormat(head: Uint8Array): MediaFormat | undefined {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  const at = (offset: number, text: string): boolean =>
    bytes.subarray(offset, offset + text.length).equals(Buffer.from(text, 'latin1'));
  if (at(0, '\xff\xd8\xff')) return 'jpeg';
  if (at(0, '\x89PNG\r\n\x1a\n')) return 'png';
  if (at(0, 'RIFF') && at(8, 'WEBP')) return 'webp';
  if (at(0, 'RIFF') && at(8, 'WAVE')) return 'wav';
  if (at(0, 'OggS')) return sniffOgg(bytes);
  if (at(0, 'fLaC')) return 'flac';
  if (at(0, '\x1a\x45\xdf\xa3') && bytes.includes('webm')) return 'webm';
  if (at(4, 'ftyp')) return sniffBrand(bytes);
  if (at(0, 'ID3') || isMp3Frame(bytes)) return 'mp3';
  return undefined;
}

/**
 * Vorbis or Opus, whose first page is the codec's header alone: after the page's header of 27 bytes and one lacing
 * value (RFC 3533, 6; RFC 7845, 3; Vorbis I, A.2). Theora, Speex and others are not accepted.
 */
function sniffOgg(bytes: Buffer): MediaFormat | undefined {
  const codec = bytes.toString('latin1', 28);
  return codec.startsWith('OpusHead') || codec.startsWith('\x01vorbis') ? 'ogg' : undefined;
}

const MP4_BRANDS = ['isom', 'iso2', 'iso4', 'iso5', 'iso6', 'mp41', 'mp42', 'avc1', 'dash', 'M4V '];

/**
 * The brands of an ISO base media file (ISO/IEC 14496-12, 4.3). `mif1` says only that it is a picture; which one is
 * among the compatible brands (AVIF, 6.3). QuickTime (`qt  `) and HEIF (`heic`) are not accepted.
 */
function sniffBrand(bytes: Buffer): MediaFormat | undefined {
  const { body } = boxAt(bytes, 0);
  const major = body.toString('latin1', 0, 4);
  const compatible: string[] = body.toString('latin1', 8).match(/.{4}/gs) ?? [];
  const isAvif = ['avif', 'avis'].includes(major) || (major === 'mif1' && compatible.includes('avif'));
  if (isAvif) return 'avif';
  if (major === 'M4A ' || major === 'M4B ') return 'm4a';
  return MP4_BRANDS.includes(major) ? 'mp4' : undefined;
}

/** Sync word, then neither a reserved version, layer (III only), bit rate nor sample rate (ISO/IEC 11172-3, 2.4.1.3). */
function isMp3Frame(bytes: Buffer): boolean {
  const [a = 0, b = 0, c = 0] = bytes;
  const isLayer3 = (b & 0b110) === 0b010;
  return (
    a === 0xff &&
    (b & 0xe0) === 0xe0 &&
    (b & 0x18) !== 0x08 &&
    isLayer3 &&
    c >> 4 !== 15 &&
    (c & 0x0c) !== 0x0c
  );
}

/** What a refused file seems to be, for the sentence that refuses it. */
export function describeUnknown(head: Uint8Array): string {
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1');
  const known: [RegExp, string][] = [
    [/^\s*(<\?xml[^>]*>\s*)?(<!--[^>]*-->\s*)?<svg/i, 'an SVG drawing'],
    [/^\s*<(!doctype html|html)/i, 'an HTML page'],
    [/^GIF8/, 'a GIF'],
    [/^(II\*\0|MM\0\*)/, 'a TIFF'],
    [/^BM.{4}\0{4}/s, 'a BMP'],
    [/^%PDF/, 'a PDF'],
    [/^#EXTM3U/, 'an HLS playlist'],
    [/^ffconcat/, 'an ffconcat script'],
    [/^.{4}ftypqt/s, 'a QuickTime file'],
    [/^.{4}ftyp(hei|hev|mif1|msf1)/s, 'an HEIF picture'],
    [/^OggS/, 'an Ogg file without Vorbis or Opus'],
    [/^[^ -~]E\xdf\xa3/, 'a Matroska file'],
    [/^RIFF.{4}AVI /s, 'an AVI'],
    [/^\xff[\xf0\xf1\xf8\xf9]/, 'bare AAC (ADTS)'],
    [/^PK[^ -~]{2}/, 'a ZIP archive'],
  ];
  return (
    known.find(([pattern]) => pattern.test(text))?.[1] ?? (isText(head) ? 'plain text' : 'of an unknown type')
  );
}

/** UTF-8 without control characters, the last character of which may be cut off. */
function isText(head: Uint8Array): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return /^(?:[\t\n\r]|\P{Cc})+$/u.test(text);
  } catch {
    return false;
  }
}
