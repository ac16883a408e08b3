import sharp from 'sharp';
import type { RgbPicture } from './image.ts';

/** Says that the file is animated (WebP Container Specification, extended file format). */
const ANIMATED = 0x02;
/** A frame takes the place of what was there, and is not mixed with it. */
const NO_BLENDING = 0x02;

/**
 * Encodes pictures of one size as an animated WebP that repeats; `delays` are in milliseconds.
 *
 * Each frame is a whole picture. libwebp's own encoder for animations leaves out blocks that hardly differ from the frame
 * before: of a fade they stay behind, and stand in the picture that follows.
 */
export async function encodeAnimation(
  pictures: readonly RgbPicture[],
  delays: readonly number[],
  quality: number,
): Promise<Buffer> {
  const { width = 1, height = 1 } = pictures[0] ?? {};
  const frames = await Promise.all(
    pictures.map(async ({ data }, i) => {
      const raw = { width, height, channels: 3 as const };
      const still = await sharp(data, { raw }).webp({ quality, effort: 4, smartSubsample: true }).toBuffer();
      const header = Buffer.alloc(16);
      header.writeUIntLE(width - 1, 6, 3);
      header.writeUIntLE(height - 1, 9, 3);
      header.writeUIntLE(delays[i] ?? 0, 12, 3);
      header.writeUInt8(NO_BLENDING, 15);
      return chunk('ANMF', Buffer.concat([header, codedPicture(still)]));
    }),
  );
  const canvas = Buffer.alloc(10);
  canvas.writeUInt8(ANIMATED, 0);
  canvas.writeUIntLE(width - 1, 4, 3);
  canvas.writeUIntLE(height - 1, 7, 3);
  // No colour behind the frames, and no end.
  const animation = Buffer.alloc(6);
  const body = Buffer.concat([
    Buffer.from('WEBP'),
    chunk('VP8X', canvas),
    chunk('ANIM', animation),
    ...frames,
  ]);
  return chunk('RIFF', body);
}

/** Name, length, content, and a byte more where that is odd. */
function chunk(name: string, content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(content.length);
  return Buffer.concat([Buffer.from(name), length, content, Buffer.alloc(content.length % 2)]);
}

/** The chunk of a still WebP that holds its picture. */
function codedPicture(file: Buffer): Buffer {
  for (let at = 12; at + 8 <= file.length; ) {
    const length = file.readUInt32LE(at + 4);
    const end = at + 8 + length + (length % 2);
    if (file.toString('latin1', at, at + 4) === 'VP8 ') return file.subarray(at, end);
    at = end;
  }
  throw new Error('the coded picture has no VP8 chunk');
}
