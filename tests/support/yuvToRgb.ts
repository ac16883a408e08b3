import type { YuvPicture } from '../../src/media/picture/frame.ts';

const [KR, KG, KB] = [0.2126, 0.7152, 0.0722];
const LUMA = 219 / 255;
const CHROMA = 224 / 255;

/** BT.709 in the limited range to packed RGB, by the formula of ITU-R BT.709-6; a picture as a test looks at it. */
export function yuvToRgb({ width, height, data }: YuvPicture): Buffer {
  const rgb = Buffer.allocUnsafe(width * height * 3);
  const cb = width * height;
  const cr = cb + cb / 4;
  const clamped = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value + 0.5);
  for (let y = 0, at = 0; y < height; y++) {
    const chromaRow = (y >> 1) * (width >> 1);
    for (let x = 0; x < width; x++) {
      const luma = ((data[y * width + x] as number) - 16) / LUMA;
      const chroma = chromaRow + (x >> 1);
      const u = ((data[cb + chroma] as number) - 128) / CHROMA;
      const v = ((data[cr + chroma] as number) - 128) / CHROMA;
      rgb[at++] = clamped(luma + 2 * (1 - KR) * v);
      rgb[at++] = clamped(luma - ((2 * (1 - KB) * KB) / KG) * u - ((2 * (1 - KR) * KR) / KG) * v);
      rgb[at++] = clamped(luma + 2 * (1 - KB) * u);
    }
  }
  return rgb;
}
