import type { YuvPicture } from './frame.ts';

/**
 * What is drawn over a moving picture: its own colours, already weighted, and how much of the picture shows through.
 * Both in the layout of {@link YuvPicture}.
 */
export interface Overlay {
  base: Buffer;
  /** In 256ths. */
  through: Uint16Array;
}

/** Luma of black and white in the limited range. */
export const [BLACK, WHITE] = [16, 235];

/**
 * Reads an overlay off what it looks like over a black and over a white picture (a difference matte, as in Smith and
 * Blinn, "Blue screen matting", 1996): where both look the same it is opaque, where they stay black and white it is not
 * there. So whatever can be painted on a picture can be put over a moving one.
 */
export function readOverlay(onBlack: YuvPicture, onWhite: YuvPicture): Overlay {
  const { width, height, data } = onBlack;
  const through = new Uint16Array(data.length);
  const luma = width * height;
  for (let i = 0; i < luma; i++) {
    const shown = ((onWhite.data[i] as number) - (data[i] as number)) / (WHITE - BLACK);
    through[i] = Math.min(256, Math.max(0, Math.round(shown * 256)));
  }
  for (let y = 0, i = luma; y < height / 2; y++) {
    for (let x = 0; x < width / 2; x++, i++) {
      const at = 2 * y * width + 2 * x;
      const sum =
        (through[at] as number) +
        (through[at + 1] as number) +
        (through[at + width] as number) +
        (through[at + width + 1] as number);
      const mean = (sum + 2) >> 2;
      through[i] = mean;
      through[i + luma / 4] = mean;
    }
  }
  return { base: data, through };
}

/** The picture with an overlay over it. */
export function putOver({ width, height, data: under }: YuvPicture, { base, through }: Overlay): YuvPicture {
  const luma = width * height;
  const data = Buffer.allocUnsafe(under.length);
  for (let i = 0; i < luma; i++) {
    data[i] = (base[i] as number) + ((((under[i] as number) - BLACK) * (through[i] as number) + 128) >> 8);
  }
  for (let i = luma; i < data.length; i++) {
    data[i] = (base[i] as number) + ((((under[i] as number) - 128) * (through[i] as number) + 128) >> 8);
  }
  return { width, height, data };
}
