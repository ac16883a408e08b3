import sharp from 'sharp';
import { BeyondLimits, MAX_MEGAPIXELS, MAX_PAGES, TooManyPixels } from '../limits.ts';
import type { Layer } from './paint.ts';

/** Packed RGB, 8 bits, three bytes a pixel, no padding. */
export interface RgbPicture {
  width: number;
  height: number;
  data: Buffer;
}

const MAX_INPUT_PIXELS = Math.max(...Object.values(MAX_MEGAPIXELS)) * 1e6;

/** The loaders of the supported formats, and of the SVG that is drawn here. All others are blocked. */
const LOADERS = ['Jpeg', 'Png', 'Webp', 'Heif', 'Svg'].map((name) => `VipsForeignLoad${name}`);

/** No cache: libvips would keep decoded strips, but every picture here is decoded once. */
export function configureSharp(): void {
  sharp.cache(false);
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: LOADERS });
}

/** A kind of picture, by what its bytes say. */
export type PictureFormat = keyof typeof MAX_MEGAPIXELS;

/**
 * Checks the header. Nothing is decoded.
 * @throws BeyondLimits, and Error where the bytes are no picture of this format
 */
export async function checkPicture(bytes: Buffer, format: PictureFormat): Promise<void> {
  const found = await sharp(bytes, { limitInputPixels: false }).metadata();
  if (found.format !== (format === 'avif' ? 'heif' : format))
    throw new Error(`libvips takes it for ${found.format}`);
  const { width, height, pages = 1 } = found;
  const most = MAX_MEGAPIXELS[format];
  if (width * height > most * 1e6)
    throw new TooManyPixels(`has ${width} x ${height} pixels; at most ${most} million are decoded`);
  if (pages > MAX_PAGES) throw new BeyondLimits(`has ${pages} frames, and at most ${MAX_PAGES} are read`);
}

export interface ImageHeader {
  /** As the picture is looked at, its orientation applied. */
  width: number;
  height: number;
  hasAlpha: boolean;
}

/** Reads the header; nothing is decoded. @throws Error if sharp does not know the format */
export async function probeImage(bytes: Buffer): Promise<ImageHeader> {
  const { autoOrient, width, height, hasAlpha } = await sharp(bytes, { limitInputPixels: false }).metadata();
  return { width: autoOrient?.width ?? width, height: autoOrient?.height ?? height, hasAlpha };
}

/**
 * Decodes a photo in its own orientation and fills `width` x `height` with it; what does not fit is cropped evenly.
 * JPEG is decoded at a reduced scale where that is enough. `blurred` is for backgrounds.
 * @throws Error where the bytes are damaged or truncated
 */
export async function coverPicture(
  bytes: Buffer,
  width: number,
  height: number,
  look: 'sharp' | 'blurred' = 'sharp',
): Promise<RgbPicture> {
  // A blurred picture needs no more than a few pixels: decode and blur it small, then enlarge it.
  const scale = look === 'blurred' ? 4 : 1;
  let pipeline = sharp(bytes, { failOn: 'error', limitInputPixels: MAX_INPUT_PIXELS })
    .autoOrient()
    .resize(Math.ceil(width / scale), Math.ceil(height / scale), { fit: 'cover' })
    .flatten({ background: '#101418' })
    .toColourspace('srgb')
    .removeAlpha();
  if (look === 'blurred') {
    const small = await pipeline.blur(6).raw().toBuffer({ resolveWithObject: true });
    pipeline = sharp(small.data, { raw: small.info }).resize(width, height, { fit: 'fill', kernel: 'cubic' });
  }
  const { data, info } = await pipeline.raw().toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`expected 3 channels, got ${info.channels}`);
  return { width, height, data };
}

/** Decodes a picture with its transparency and fits it into `width` x `height`: all of it, or what fills them. */
export async function decodeLayer(
  bytes: Buffer,
  width: number,
  height: number,
  fit: 'inside' | 'cover',
): Promise<{ width: number; height: number; rgba: Buffer }> {
  const { data, info } = await sharp(bytes, { failOn: 'error', limitInputPixels: MAX_INPUT_PIXELS })
    .autoOrient()
    .resize(width, height, { fit })
    .toColourspace('srgb')
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, rgba: data };
}

/** Trims the empty rows and columns at the edges of a layer. A layer without ink is returned unchanged. */
export function trimLayer({ width, height, rgba }: Layer): Layer {
  let [left, right, top, bottom] = [width, 0, height, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (rgba[(y * width + x) * 4 + 3] === 0) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
    }
  }
  if (right === 0) return { width, height, rgba };
  const rows = Array.from({ length: bottom - top }, (_, y) =>
    rgba.subarray(((top + y) * width + left) * 4, ((top + y) * width + right) * 4),
  );
  return { width: right - left, height: bottom - top, rgba: Buffer.concat(rows) };
}

/** Copies a picture onto another, its upper left corner at (`left`, `top`); it must lie within. */
export function copyOnto(picture: RgbPicture, piece: RgbPicture, left: number, top: number): void {
  for (let y = 0; y < piece.height; y++) {
    const row = piece.data.subarray(y * piece.width * 3, (y + 1) * piece.width * 3);
    picture.data.set(row, ((top + y) * picture.width + left) * 3);
  }
}

/** Encodes a picture as JPEG, 4:4:4 so that coloured letters stay sharp. */
export function encodeJpeg(picture: RgbPicture, quality: number): Promise<Buffer> {
  return sharp(picture.data, { raw: { width: picture.width, height: picture.height, channels: 3 } })
    .jpeg({ quality, chromaSubsampling: '4:4:4', mozjpeg: false })
    .toBuffer();
}
