import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { demuxerOf, describeUnknown, mediaFormats, sniffFormat } from '../../../src/assets/sniff.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
/** The first box of an ISO base media file. */
const ftyp = (major: string, ...compatible: string[]): Buffer => {
  const box = bytes(`\0\0\0\0ftyp${major}\0\0\0\0${compatible.join('')}`);
  box.writeUInt32BE(box.length, 0);
  return Buffer.concat([box, bytes('\0\0\0\x08free')]);
};
/** The first page of an Ogg file with one packet. */
const ogg = (packet: string): Buffer => bytes(`OggS\0\x02${'\0'.repeat(20)}\x01\x1e${packet}`);

describe('the format of a file, by its first bytes', () => {
  it.each([
    ['jpeg', bytes('\xff\xd8\xff\xe0\0\x10JFIF')],
    ['png', bytes('\x89PNG\r\n\x1a\n\0\0\0\rIHDR')],
    ['webp', bytes('RIFF\x24\0\0\0WEBPVP8 ')],
    ['avif', ftyp('avif', 'mif1', 'miaf')],
    ['avif', ftyp('mif1', 'avif', 'miaf')],
    ['wav', bytes('RIFF\x24\0\0\0WAVEfmt ')],
    ['mp3', bytes('ID3\x04\0\0')],
    ['mp3', bytes('\xff\xfb\x90\x64')],
    ['m4a', ftyp('M4A ', 'isom')],
    ['ogg', ogg('OpusHead\x01')],
    ['ogg', ogg('\x01vorbis')],
    ['flac', bytes('fLaC\0\0\0\x22')],
    ['mp4', ftyp('isom', 'isom', 'avc1')],
    ['mp4', ftyp('mp42')],
    ['webm', bytes('\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm')],
  ])('is %s', (format, head) => {
    expect(sniffFormat(head)).toBe(format);
  });

  it.each([
    ['an SVG drawing', bytes('<svg xmlns="http://www.w3.org/2000/svg">')],
    ['an SVG drawing', bytes('<?xml version="1.0"?>\n<!-- drawn --><svg>')],
    ['an HTML page', bytes('<!DOCTYPE html><html>')],
    ['a GIF', bytes('GIF89a\x01\0\x01\0')],
    ['a TIFF', bytes('II*\0\x08\0\0\0')],
    ['a TIFF', bytes('MM\0*\0\0\0\x08')],
    ['a BMP', bytes('BM\x46\0\0\0\0\0\0\0')],
    ['a PDF', bytes('%PDF-1.7\n%\xe2\xe3')],
    ['an HLS playlist', bytes('#EXTM3U\nfile:///etc/passwd')],
    ['an ffconcat script', bytes("ffconcat version 1.0\nfile '/etc/passwd'")],
    ['a QuickTime file', ftyp('qt  ')],
    ['an HEIF picture', ftyp('heic', 'mif1')],
    ['an HEIF picture', ftyp('mif1', 'heic')],
    ['an Ogg file without Vorbis or Opus', ogg('\x80theora')],
    ['a Matroska file', bytes('\x1a\x45\xdf\xa3\xa3\x42\x82\x88matroska')],
    ['an AVI', bytes('RIFF\x24\0\0\0AVI LIST')],
    ['bare AAC (ADTS)', bytes('\xff\xf1\x50\x80')],
    ['a ZIP archive', bytes('PK\x03\x04\x14\0')],
    ['plain text', bytes('ID 3, says the list')],
    ['plain text', Buffer.from('Grüße, 你好').subarray(0, -1)],
    ['of an unknown type', bytes('RIFF\x24\0\0\0ABCD')],
    ['of an unknown type', bytes('\0\0\0\x01')],
    ['of an unknown type', ftyp('zzzz')],
    ['of an unknown type', bytes('\xff\xff\xff\xff')],
    ['of an unknown type', Buffer.alloc(0)],
  ])('is none that is accepted where the file is %s', (description, head) => {
    expect(sniffFormat(head)).toBeUndefined();
    expect(describeUnknown(head)).toBe(description);
  });

  it('is asked of any bytes without an exception', () => {
    const starts = ['', '\0\0\0\x20ftyp', 'OggS', 'RIFF', '\x1a\x45\xdf\xa3', '\xff\xfb', '\x89PNG'];
    fc.assert(
      fc.property(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 80 }), (start, rest) => {
        const head = Buffer.concat([bytes(start), rest]);
        const format = sniffFormat(head);
        if (format !== undefined) expect(Object.keys(mediaFormats)).toContain(format);
        expect(describeUnknown(head)).not.toBe('');
      }),
    );
  });

  it('names a demuxer for every sound and video, and none for a picture', () => {
    const demuxers = {
      wav: 'wav',
      mp3: 'mp3',
      m4a: 'mov',
      ogg: 'ogg',
      flac: 'flac',
      mp4: 'mov',
      webm: 'matroska',
    };
    for (const format of Object.keys(mediaFormats) as (keyof typeof mediaFormats)[]) {
      if (mediaFormats[format].kind === 'image') expect(() => demuxerOf(format)).toThrow(/picture/);
      else expect(demuxerOf(format)).toBe(demuxers[format as keyof typeof demuxers]);
    }
  });
});
