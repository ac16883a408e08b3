/** Files that are made to hurt whoever decodes them, each with what is expected to become of it. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';

export interface HostileFile {
  name: string;
  type: 'image' | 'audio' | 'video';
  bytes: Buffer;
  /** The codes that it may fail with; `rendered` where it may be used. */
  outcomes: readonly string[];
}

const REFUSED = ['asset_type_unsupported'];
const CORRUPT = ['asset_corrupt'];
const LIMITED = ['asset_limit_exceeded', 'asset_too_many_pixels'];
/** What is damaged in a place that a decoder may pass over. */
const EITHER = ['rendered', 'asset_corrupt', ...LIMITED];

const ascii = (text: string): Buffer => Buffer.from(text, 'latin1');
const be32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};
const le32 = (value: number): Buffer => Buffer.from(be32(value)).reverse();
const le16 = (value: number): Buffer => le32(value).subarray(0, 2);
const zeros = (count: number): Buffer => Buffer.alloc(count);

function ffmpeg(...args: string[]): Buffer {
  const { status, stdout, stderr } = spawnSync('ffmpeg', ['-v', 'error', ...args, '-'], {
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`ffmpeg ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** A sound or a video of each container, whole and well. */
export function soundFiles(): Record<string, HostileFile> {
  const tone = ['-f', 'lavfi', '-i', 'sine=440:duration=2:sample_rate=48000'];
  const make = (name: string, type: 'audio' | 'video', ...args: string[]): HostileFile => ({
    name,
    type,
    bytes: ffmpeg(...args),
    outcomes: ['rendered'],
  });
  const picture = ['-f', 'lavfi', '-i', 'testsrc=size=64x64:rate=10:duration=1'];
  const split = ['-movflags', 'frag_keyframe+empty_moov'];
  return {
    wav: make('wav', 'audio', ...tone, '-f', 'wav'),
    mp3: make('mp3', 'audio', ...tone, '-f', 'mp3'),
    m4a: make('m4a', 'audio', ...tone, '-c:a', 'aac', ...split, '-brand', 'M4A ', '-f', 'mp4'),
    ogg: make('ogg', 'audio', ...tone, '-c:a', 'libopus', '-f', 'ogg'),
    flac: make('flac', 'audio', ...tone, '-f', 'flac'),
    mp4: make('mp4', 'video', ...picture, '-pix_fmt', 'yuv420p', ...split, '-f', 'mp4'),
    webm: make('webm', 'video', ...picture, '-c:v', 'libvpx-vp9', '-f', 'webm'),
  };
}

async function pictureFiles(): Promise<Record<string, HostileFile>> {
  const { data, info } = await sharp({
    create: {
      width: 320,
      height: 200,
      channels: 3,
      noise: { type: 'gaussian', mean: 128, sigma: 30 },
      background: '#888',
    },
  })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const picture = () => sharp(data, { raw: info });
  const make = (name: string, bytes: Buffer): HostileFile => ({
    name,
    type: 'image',
    bytes,
    outcomes: ['rendered'],
  });
  return {
    jpeg: make('jpeg', await picture().jpeg().toBuffer()),
    png: make('png', await picture().png().toBuffer()),
    webp: make('webp', await picture().webp().toBuffer()),
    avif: make('avif', await picture().avif({ effort: 0 }).toBuffer()),
  };
}

/**
 * Every hostile file; takes a few seconds, because some are large when they are made.
 * @param tenths of its length at which each kind of file is cut off
 */
export async function hostileFiles(tenths: readonly number[]): Promise<HostileFile[]> {
  const sounds = soundFiles();
  const pictures = await pictureFiles();
  const whole = { ...pictures, ...sounds };
  return [
    ...Object.values(whole),
    ...Object.values(whole).flatMap((file) => truncated(file, tenths)),
    ...(await pictureBombs(pictures)),
    ...soundBombs(sounds),
    ...boxBombs(sounds),
    ...strangers(pictures),
  ];
}

function truncated({ name, type, bytes }: HostileFile, tenths: readonly number[]): HostileFile[] {
  return tenths.map((tenth) => ({
    name: `${name} cut off at ${tenth} tenths`,
    type,
    bytes: bytes.subarray(0, Math.floor((bytes.length * tenth) / 10)),
    outcomes: [...EITHER, ...REFUSED],
  }));
}

const pngChunk = (type: string, data: Buffer): Buffer => {
  const body = Buffer.concat([ascii(type), data]);
  return Buffer.concat([be32(data.length), body, be32(crc32(body))]);
};
const PNG = ascii('\x89PNG\r\n\x1a\n');
const header = (width: number, height: number, colour = 2, interlaced = 0): Buffer =>
  pngChunk('IHDR', Buffer.concat([be32(width), be32(height), Buffer.from([8, colour, 0, 0, interlaced])]));
const png = (...chunks: Buffer[]): Buffer => Buffer.concat([PNG, ...chunks, pngChunk('IEND', zeros(0))]);
const pixels = (width: number, height: number): Buffer =>
  pngChunk('IDAT', deflateSync(zeros(height * (1 + width * 3)), { level: 9 }));
/** A PNG of 16 x 16 with a chunk before its pixels. */
const pngWith = (...chunks: Buffer[]): Buffer => png(header(16, 16), ...chunks, pixels(16, 16));

async function pictureBombs({
  jpeg,
  png: plain,
  webp,
  avif,
}: Record<string, HostileFile>): Promise<HostileFile[]> {
  const image = (name: string, bytes: Buffer, outcomes: readonly string[]): HostileFile => ({
    name,
    type: 'image',
    bytes,
    outcomes,
  });
  const of = (file: HostileFile | undefined): Buffer => file?.bytes ?? zeros(0);
  const flat = (width: number, height: number) =>
    sharp({ create: { width, height, channels: 3, background: '#468' } });
  const lyingJpeg = Buffer.from(of(jpeg));
  // SOF0: marker, length, precision, height, width.
  const frame = lyingJpeg.indexOf(Buffer.from([0xff, 0xc0]));
  lyingJpeg.writeUInt16BE(65_000, frame + 5);
  lyingJpeg.writeUInt16BE(65_000, frame + 7);
  const scans = await flat(2000, 2000).jpeg({ progressive: true }).toBuffer();
  const scan = scans.lastIndexOf(Buffer.from([0xff, 0xda]));
  const manyScans = Buffer.concat([
    scans.subarray(0, scan),
    ...Array.from({ length: 3000 }, () => scans.subarray(scan, scans.length - 2)),
    scans.subarray(-2),
  ]);
  const segments = Array.from({ length: 300 }, () =>
    Buffer.concat([Buffer.from([0xff, 0xe1, 0xff, 0xff]), ascii('Exif\0\0'), randomBytes(65_527)]),
  );
  // A directory of EXIF whose next one is itself.
  const loop = Buffer.concat([ascii('Exif\0\0II*\0'), le32(8), le16(0), le32(8)]);
  const exif = (body: Buffer): Buffer =>
    Buffer.concat([
      of(jpeg).subarray(0, 2),
      Buffer.from([0xff, 0xe1]),
      be32(body.length + 2).subarray(2),
      body,
      of(jpeg).subarray(2),
    ]);
  const bomb = deflateSync(zeros(300 * 1024 ** 2), { level: 9 });
  const lyingAvif = Buffer.from(of(avif));
  const ispe = lyingAvif.indexOf('ispe');
  lyingAvif.writeUInt32BE(60_000, ispe + 8);
  lyingAvif.writeUInt32BE(60_000, ispe + 12);
  const lyingWebp = Buffer.from(of(webp));
  const vp8 = lyingWebp.indexOf(Buffer.from([0x9d, 0x01, 0x2a]));
  lyingWebp.writeUInt16LE(16_383, vp8 + 3);
  lyingWebp.writeUInt16LE(16_383, vp8 + 5);
  const frames = Buffer.concat(
    Array.from({ length: 300 }, (_, i) => Buffer.alloc(16 * 16 * 3, (i % 2) * 255)),
  );
  const animation = await sharp(frames, { raw: { width: 16, height: 16 * 300, channels: 3, pageHeight: 16 } })
    .webp({ loop: 0, delay: Array.from({ length: 300 }, () => 200) })
    .toBuffer();
  const control = (i: number): Buffer =>
    pngChunk(
      'fcTL',
      Buffer.concat([be32(i), be32(16), be32(16), zeros(8), Buffer.from([0, 1, 0, 10, 0, 0])]),
    );
  const apng = pngWith(
    pngChunk('acTL', Buffer.concat([be32(50_000), be32(0)])),
    ...Array.from({ length: 20_000 }, (_, i) => control(i)),
  );
  return [
    image('a PNG of 30,000 x 30,000', png(header(30_000, 30_000), pixels(1000, 1000)), LIMITED),
    image('a PNG of 2^31 - 1 pixels a side', png(header(2 ** 31 - 1, 2 ** 31 - 1), pixels(1, 1)), [
      ...LIMITED,
      ...CORRUPT,
    ]),
    image('a PNG without pixels', png(header(0, 0), pixels(1, 1)), CORRUPT),
    image('a PNG of 9,999 x 9,999 that holds 100 MB', png(header(9999, 9999), pixels(9999, 3000)), EITHER),
    image(
      'a PNG of 9,999 x 9,999, whole',
      await flat(9999, 9999).png({ compressionLevel: 9 }).toBuffer(),
      EITHER,
    ),
    image(
      'an interlaced PNG of 6,000 x 6,000',
      await flat(6000, 6000).png({ progressive: true }).toBuffer(),
      EITHER,
    ),
    image(
      'a PNG with 300 MB of text in 300 kB',
      pngWith(pngChunk('zTXt', Buffer.concat([ascii('a\0\0'), bomb]))),
      EITHER,
    ),
    image(
      'a PNG with 300 MB of colour profile',
      pngWith(pngChunk('iCCP', Buffer.concat([ascii('a\0\0'), bomb]))),
      EITHER,
    ),
    image(
      'a PNG with 20,000 texts',
      pngWith(...Array.from({ length: 20_000 }, () => pngChunk('tEXt', ascii('a\0b')))),
      EITHER,
    ),
    image('a PNG with a chunk of 4 GB', png(header(16, 16), be32(0xffffffff), ascii('IDAT')), CORRUPT),
    image(
      'a PNG with 10 MB of EXIF',
      pngWith(pngChunk('eXIf', Buffer.concat([ascii('II*\0'), randomBytes(1e7)]))),
      EITHER,
    ),
    image('an APNG with 50,000 frames', apng, EITHER),
    image('a JPEG that says 65,000 x 65,000', lyingJpeg, LIMITED),
    image('a progressive JPEG with 3,000 scans', manyScans, EITHER),
    image(
      'a progressive JPEG of 9,000 x 9,000',
      await flat(9000, 9000).jpeg({ progressive: true }).toBuffer(),
      EITHER,
    ),
    image(
      'a JPEG with 20 MB of EXIF',
      Buffer.concat([of(jpeg).subarray(0, 2), ...segments, of(jpeg).subarray(2)]),
      EITHER,
    ),
    image('a JPEG whose EXIF goes in circles', exif(loop), EITHER),
    image('a JPEG without a picture', Buffer.from([0xff, 0xd8, 0xff, 0xd9]), CORRUPT),
    image(
      'a JPEG of 8 MB of fill bytes',
      Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(8e6, 0xff)]),
      CORRUPT,
    ),
    image('a WebP that says 16,383 x 16,383', lyingWebp, [...LIMITED, ...CORRUPT]),
    image('a WebP of 300 frames', animation, LIMITED),
    image(
      'a WebP of 16,383 x 6,000 in 40 bytes',
      await flat(16_383, 6000).webp({ lossless: true, effort: 0 }).toBuffer(),
      EITHER,
    ),
    image('an AVIF that says 60,000 x 60,000', lyingAvif, [...LIMITED, ...CORRUPT]),
    image('an AVIF of 4,200 x 4,200', await flat(4200, 4200).avif({ effort: 0 }).toBuffer(), LIMITED),
    image('an AVIF of 4,100 x 4,100', await flat(4100, 4100).avif({ effort: 0 }).toBuffer(), EITHER),
    image(
      'a PNG with a ZIP behind it',
      Buffer.concat([of(plain), ascii('PK\x03\x04'), randomBytes(1000)]),
      EITHER,
    ),
    image(
      'a JPEG with a script in it',
      exif(ascii('Exif\0\0<script>alert(1)</script><?php system("id"); ?>')),
      EITHER,
    ),
  ];
}

/** A WAV file of those samples; `says` is the length that it claims. */
export function wav(
  channels: number,
  rate: number,
  bits: number,
  tag: number,
  data: Buffer,
  says = data.length,
): Buffer {
  const align = (channels * bits) / 8;
  const format = Buffer.concat([
    le16(tag),
    le16(channels),
    le32(rate),
    le32(rate * align),
    le16(align),
    le16(bits),
  ]);
  return Buffer.concat([
    ...[ascii('RIFF'), le32(36 + says), ascii('WAVEfmt '), le32(16), format, ascii('data'), le32(says), data],
  ]);
}

function soundBombs(sounds: Record<string, HostileFile>): HostileFile[] {
  const of = (name: string): Buffer => sounds[name]?.bytes ?? zeros(0);
  const sound = (name: string, bytes: Buffer, outcomes: readonly string[]): HostileFile => ({
    name,
    type: 'audio',
    bytes,
    outcomes,
  });
  const lyingFlac = Buffer.from(of('flac'));
  // STREAMINFO: 36 bits of samples behind rate, channels and bits.
  lyingFlac.fill(0xff, 8 + 13, 8 + 18);
  const fastFlac = Buffer.from(of('flac'));
  fastFlac.fill(0xff, 8 + 10, 8 + 12);
  const id3 = (bytes: number): Buffer =>
    Buffer.concat([ascii('ID3\x04\0\0'), Buffer.from([21, 14, 7, 0].map((shift) => (bytes >> shift) & 127))]);
  const cover = Buffer.concat([ascii('\0image/png\0\x03\0'), png(header(20_000, 20_000), pixels(500, 500))]);
  const size = Buffer.from([21, 14, 7, 0].map((shift) => (cover.length >> shift) & 127));
  const tag = Buffer.concat([ascii('APIC'), size, zeros(2), cover]);
  const chained = Buffer.concat(
    Array.from({ length: 400 }, (_, i) => {
      const link = Buffer.from(of('ogg'));
      // Each link of the chain is a stream with a serial number of its own; the checksums are then wrong, too.
      for (let at = 0; at >= 0; at = link.indexOf('OggS', at + 4)) link.writeUInt32LE(i + 1, at + 14);
      return link;
    }),
  );
  const hour = (seconds: number): Buffer =>
    ffmpeg('-f', 'lavfi', '-i', `anullsrc=r=8000:cl=mono:d=${seconds}`, '-c:a', 'flac', '-f', 'flac');
  return [
    sound('a WAV of 96 channels', wav(96, 48_000, 16, 1, zeros(96 * 2 * 4800)), LIMITED),
    sound('a WAV of 65,535 channels', wav(65_535, 48_000, 8, 1, zeros(655_350)), [...LIMITED, ...CORRUPT]),
    sound('a WAV of 0 channels', wav(0, 48_000, 16, 1, zeros(9600)), [...LIMITED, ...CORRUPT]),
    sound('a WAV of 4 GHz', wav(1, 0xffffffff, 16, 1, zeros(9600)), [...LIMITED, ...CORRUPT]),
    sound('a WAV of 1 Hz', wav(1, 1, 16, 1, zeros(96_000)), LIMITED),
    sound('a WAV that says 4 GB', wav(2, 48_000, 16, 1, zeros(96_000), 0xfffffff0), EITHER),
    sound('a WAV of a codec of its own', wav(2, 48_000, 16, 0x1234, zeros(96_000)), [...REFUSED, ...CORRUPT]),
    sound('a WAV that holds MP3', wav(2, 48_000, 16, 0x55, of('mp3')), [...REFUSED, ...CORRUPT]),
    sound('a FLAC that says 2^36 samples', lyingFlac, EITHER),
    sound('a FLAC of a million hertz', fastFlac, EITHER),
    sound('a FLAC of three hours of silence', hour(3 * 3600), LIMITED),
    sound('an MP3 with a tag of 40 MB', Buffer.concat([id3(40e6), zeros(40e6), of('mp3')]), EITHER),
    sound('an MP3 with a tag that is longer than the file', Buffer.concat([id3(250e6), of('mp3')]), EITHER),
    sound('an MP3 with a cover of 20,000 x 20,000', Buffer.concat([id3(tag.length), tag, of('mp3')]), EITHER),
    sound(
      'an MP3 of ten megabytes of noise',
      Buffer.concat([ascii('ID3\x04\0\0\0\0\0\0'), randomBytes(1e7)]),
      EITHER,
    ),
    sound('an Ogg chain of 400 streams', chained, EITHER),
    sound(
      'an Ogg page without an end',
      Buffer.concat([of('ogg').subarray(0, 60), ...Array.from({ length: 50_000 }, () => ascii('OggS\0\0'))]),
      [...EITHER, ...REFUSED],
    ),
  ];
}

const box = (type: string, ...content: Buffer[]): Buffer => {
  const body = Buffer.concat(content);
  return Buffer.concat([be32(body.length + 8), ascii(type), body]);
};
const ftyp = box('ftyp', ascii('isom'), be32(0), ascii('isommp42'));
const matrix = Buffer.concat([0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000].map(be32));

/** An MP4 of one track of sound, whose tables are as they are told. */
function mp4(tables: Buffer[], { dref, tracks = 1 }: { dref?: Buffer; tracks?: number } = {}): Buffer {
  const entry = Buffer.concat([
    zeros(6),
    Buffer.from([0, 1]),
    zeros(8),
    Buffer.from([0, 2, 0, 16]),
    zeros(4),
    be32(48_000 << 16),
  ]);
  const here = box('dref', be32(0), be32(1), box('url ', be32(1)));
  const stbl = box('stbl', box('stsd', be32(0), be32(1), box('mp4a', entry)), ...tables);
  const minf = box('minf', box('smhd', zeros(8)), box('dinf', dref ?? here), stbl);
  const mdhd = box('mdhd', zeros(12), be32(48_000), be32(48_000), zeros(4));
  const hdlr = box('hdlr', zeros(8), ascii('soun'), zeros(13));
  const tkhd = box('tkhd', be32(7), zeros(8), be32(1), zeros(4), be32(1000), zeros(16), matrix, zeros(8));
  const trak = box('trak', tkhd, box('mdia', mdhd, hdlr, minf));
  const mvhd = box('mvhd', zeros(12), be32(1000), be32(1000), zeros(80));
  return Buffer.concat([
    ftyp,
    box('moov', mvhd, ...Array.from({ length: tracks }, () => trak)),
    box('mdat', zeros(4000)),
  ]);
}

/** The addresses that an MP4 and a playlist would make a reader come to. */
export function fetchingFiles(address: string): HostileFile[] {
  const url = box('dref', be32(0), be32(1), box('url ', be32(0), ascii(`${address}/dref\0`)));
  const alias = box('dref', be32(0), be32(1), box('alis', be32(0), zeros(10), ascii('/etc/passwd\0')));
  const playlist = `#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n${address}/playlist.ts\n#EXT-X-ENDLIST\n`;
  const concat = `ffconcat version 1.0\nfile '${address}/concat.mp3'\n`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><image xlink:href="${address}/svg.png"/></svg>`;
  const audio = (name: string, bytes: Buffer): HostileFile => ({
    name,
    type: 'audio',
    bytes,
    outcomes: REFUSED,
  });
  return [
    audio('an MP4 whose sound is at an address', mp4(tablesOf(10), { dref: url })),
    audio('an MP4 whose sound is in another file', mp4(tablesOf(10), { dref: alias })),
    audio('a playlist named .mp3', ascii(playlist)),
    audio('an ffconcat script named .mp3', ascii(concat)),
    audio('a DASH manifest', ascii(`<?xml version="1.0"?><MPD><BaseURL>${address}/</BaseURL></MPD>`)),
    {
      name: 'a playlist behind an ID3 tag',
      type: 'audio',
      bytes: Buffer.concat([ascii('ID3\x04\0\0\0\0\0\0'), ascii(playlist)]),
      outcomes: CORRUPT,
    },
    { name: 'an SVG named .png', type: 'image', bytes: ascii(svg), outcomes: REFUSED },
    {
      name: 'an MP4 that is a playlist',
      type: 'video',
      bytes: Buffer.concat([ftyp, ascii(playlist)]),
      outcomes: CORRUPT,
    },
  ];
}

const table = (type: string, ...words: number[]): Buffer => box(type, ...[0, ...words].map(be32));
const tablesOf = (count: number): Buffer[] => [
  table('stts', 1, count, 1024),
  table('stsc', 1, 1, count, 1),
  table('stsz', 4, count),
  table('stco', 1, 1000),
];

function boxBombs(sounds: Record<string, HostileFile>): HostileFile[] {
  const audio = (name: string, bytes: Buffer, outcomes: readonly string[]): HostileFile => ({
    name,
    type: 'audio',
    bytes,
    outcomes,
  });
  const many = (count: number): Buffer => table('elst', count, ...Array.from({ length: count * 3 }, () => 1));
  const edits = Buffer.from(mp4(tablesOf(10)));
  const deep = Array.from({ length: 2000 }).reduce<Buffer>((inner) => box('moov', inner), zeros(0));
  const trun = box(
    'moof',
    box('traf', box('tfhd', be32(0), be32(1)), box('trun', be32(0), be32(0xfffffff0))),
  );
  const webm = sounds.webm?.bytes ?? zeros(0);
  const video = sounds.mp4?.bytes ?? zeros(0);
  const large = Buffer.from(video);
  const avc1 = large.indexOf('avc1', large.indexOf('stsd'));
  large.writeUInt16BE(0xffff, avc1 + 28);
  large.writeUInt16BE(0xffff, avc1 + 30);
  const tracks = webm.lastIndexOf(Buffer.from([0x16, 0x54, 0xae, 0x6b]));
  const encodings = Buffer.from([0x6d, 0x80, 0x80]);
  const entry = Buffer.concat([Buffer.from([0xae, 0x80 | encodings.length]), encodings]);
  const compressed = Buffer.concat([
    webm.subarray(0, tracks),
    Buffer.from([0x16, 0x54, 0xae, 0x6b, 0x80 | entry.length]),
    entry,
    webm.subarray(tracks),
  ]);
  return [
    audio(
      'an MP4 of 4 billion samples of one size',
      mp4([...tablesOf(10).slice(0, 2), table('stsz', 1, 0xfffffff0)]),
      LIMITED,
    ),
    audio(
      'an MP4 of 4 billion times',
      mp4([table('stts', 0xfffffff0, 1, 1), ...tablesOf(10).slice(1)]),
      LIMITED,
    ),
    audio(
      'an MP4 of 4 billion chunks',
      mp4([...tablesOf(10).slice(0, 3), table('stco', 0xfffffff0, 1)]),
      LIMITED,
    ),
    audio(
      'an MP4 of 3 million samples',
      mp4([
        table('stts', 1, 3e6, 1024),
        table('stsc', 1, 1, 3e6, 1),
        table('stsz', 4, 3e6),
        table('stco', 1, 1000),
      ]),
      [...LIMITED, ...CORRUPT],
    ),
    audio('an MP4 of 1,000 tracks', mp4(tablesOf(10), { tracks: 1000 }), LIMITED),
    audio(
      'an MP4 of 20,000 edits',
      Buffer.concat([ftyp, box('moov', box('trak', box('edts', many(20_000)))), edits.subarray(ftyp.length)]),
      LIMITED,
    ),
    audio('an MP4 of 2,000 boxes in boxes', Buffer.concat([ftyp, deep]), CORRUPT),
    audio(
      'an MP4 whose index says 4 GB',
      Buffer.concat([ftyp, be32(0xfffffff0), ascii('moov'), zeros(5000)]),
      CORRUPT,
    ),
    audio(
      'an MP4 whose index says 2^63 bytes',
      Buffer.concat([ftyp, be32(1), ascii('moov'), Buffer.alloc(8, 0x7f), zeros(5000)]),
      CORRUPT,
    ),
    audio('an MP4 with a fragment of 4 billion samples', Buffer.concat([mp4(tablesOf(10)), trun]), LIMITED),
    audio(
      'an MP4 with a compressed index',
      Buffer.concat([
        ftyp,
        box('moov', box('cmov', box('dcom', ascii('zlib')), box('cmvd', be32(1e9), deflateSync(zeros(1e8))))),
      ]),
      REFUSED,
    ),
    audio(
      'an MP4 of a million empty boxes',
      Buffer.concat([ftyp, Buffer.concat(Array.from({ length: 1e6 }, () => box('free')))]),
      [...LIMITED, ...CORRUPT],
    ),
    { name: 'an MP4 of 65,535 x 65,535', type: 'video', bytes: large, outcomes: [...LIMITED, 'rendered'] },
    { name: 'a WebM with compressed tracks', type: 'video', bytes: compressed, outcomes: REFUSED },
    {
      name: 'a WebM that is a playlist behind its head',
      type: 'video',
      bytes: Buffer.concat([webm.subarray(0, 60), ascii('#EXTM3U\nfile:///etc/passwd')]),
      outcomes: CORRUPT,
    },
    {
      name: 'an MP4 of H.264 at 1 frame in 100 seconds',
      type: 'video',
      bytes: ffmpeg(
        '-f',
        'lavfi',
        '-i',
        'testsrc=size=64x64:rate=1/50:duration=100',
        '-pix_fmt',
        'yuv420p',
        '-movflags',
        'frag_keyframe+empty_moov',
        '-f',
        'mp4',
      ),
      outcomes: EITHER,
    },
    {
      name: 'an MP4 that holds MJPEG',
      type: 'video',
      bytes: ffmpeg(
        '-f',
        'lavfi',
        '-i',
        'testsrc=size=64x64:rate=5:duration=1',
        '-c:v',
        'mjpeg',
        '-movflags',
        'frag_keyframe+empty_moov',
        '-f',
        'mp4',
      ),
      outcomes: REFUSED,
    },
  ];
}

/** Types that are not accepted, whatever they are called. */
function strangers({ jpeg }: Record<string, HostileFile>): HostileFile[] {
  const image = (name: string, bytes: Buffer): HostileFile => ({
    name,
    type: 'image',
    bytes,
    outcomes: REFUSED,
  });
  return [
    image('a GIF', ascii('GIF89a\x01\0\x01\0\0\0\0;')),
    image('a TIFF', Buffer.concat([ascii('II*\0'), le32(8), zeros(100)])),
    image('a PDF', ascii('%PDF-1.7\n1 0 obj<<>>endobj')),
    image('a BMP', Buffer.concat([ascii('BM'), zeros(100)])),
    image('a HEIC', box('ftyp', ascii('heic'), be32(0), ascii('mif1heic'))),
    image('a JPEG XL', Buffer.concat([be32(12), ascii('JXL \r\n\x87\n')])),
    image('an HTML page', ascii('<!doctype html><script>alert(1)</script>')),
    image('a ZIP', ascii('PK\x03\x04aaaaaaaaaaaaaaaaaaaaaaaaaa')),
    image('a PostScript', ascii('%!PS-Adobe-3.0\n(/etc/passwd) run')),
    image(
      'an ImageMagick script',
      ascii('push graphic-context\nfill "url(https://example.org/x)"\npop graphic-context'),
    ),
    image('a JPEG behind a line of text', Buffer.concat([ascii('hello\n'), jpeg?.bytes ?? zeros(0)])),
    {
      name: 'a QuickTime file',
      type: 'video',
      bytes: box('ftyp', ascii('qt  '), be32(0), ascii('qt  ')),
      outcomes: REFUSED,
    },
    {
      name: 'a Matroska file',
      type: 'video',
      bytes: Buffer.concat([
        Buffer.from([0x1a, 0x45, 0xdf, 0xa3, 0x8b, 0x42, 0x82, 0x88]),
        ascii('matroska'),
      ]),
      outcomes: REFUSED,
    },
    {
      name: 'an AVI',
      type: 'video',
      bytes: Buffer.concat([ascii('RIFF'), le32(100), ascii('AVI LIST'), zeros(100)]),
      outcomes: REFUSED,
    },
    {
      name: 'a picture that is said to be a sound',
      type: 'audio',
      bytes: jpeg?.bytes ?? zeros(0),
      outcomes: REFUSED,
    },
  ];
}
