/**
 * Pictures as the encoders take them: planar YUV 4:2:0, 8 bits, BT.709 in the limited range; the luma plane,
 * then Cb, then Cr, without padding. `width * height * 3 / 2` bytes; both sides are even.
 */
export interface YuvPicture {
  width: number;
  height: number;
  data: Buffer;
}

const SHIFT = 16;
const scaled = (factor: number): number => Math.round(factor * (1 << SHIFT));

// BT.709 luma weights, scaled to the limited range (ITU-R BT.709-6, section 3): Y 16–235, Cb and Cr 16–240.
const [KR, KG, KB] = [0.2126, 0.7152, 0.0722];
const LUMA = 219 / 255;
const CHROMA = 224 / 255;
const YR = scaled(KR * LUMA);
const YG = scaled(KG * LUMA);
const YB = scaled(KB * LUMA);
const UR = scaled((-KR / (2 * (1 - KB))) * CHROMA);
const UG = scaled((-KG / (2 * (1 - KB))) * CHROMA);
const UB = scaled(0.5 * CHROMA);
const VR = UB;
const VG = scaled((-KG / (2 * (1 - KR))) * CHROMA);
const VB = scaled((-KB / (2 * (1 - KR))) * CHROMA);
const HALF = 1 << (SHIFT - 1);

/** Converts packed 8-bit RGB to YUV 4:2:0; each chroma sample is the mean of its 2x2 pixels. */
export function rgbToYuv(rgb: Uint8Array, width: number, height: number): YuvPicture {
  const lumaSize = width * height;
  const data = Buffer.allocUnsafe((lumaSize * 3) / 2);
  const chromaWidth = width >> 1;
  let u = lumaSize;
  let v = lumaSize + lumaSize / 4;
  for (let y = 0; y < height; y += 2) {
    let top = y * width * 3;
    let bottom = top + width * 3;
    let luma = y * width;
    for (let x = 0; x < chromaWidth; x++, top += 6, bottom += 6, luma += 2) {
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let corner = 0; corner < 4; corner++) {
        const at = (corner < 2 ? top : bottom) + (corner & 1) * 3;
        const r = rgb[at] as number;
        const g = rgb[at + 1] as number;
        const b = rgb[at + 2] as number;
        red += r;
        green += g;
        blue += b;
        data[luma + (corner & 1) + (corner < 2 ? 0 : width)] =
          16 + ((YR * r + YG * g + YB * b + HALF) >> SHIFT);
      }
      data[u++] = 128 + ((UR * red + UG * green + UB * blue + 2 * HALF * 2) >> (SHIFT + 2));
      data[v++] = 128 + ((VR * red + VG * green + VB * blue + 2 * HALF * 2) >> (SHIFT + 2));
    }
  }
  return { width, height, data };
}

/** Converts back to packed 8-bit RGB, for pictures that are made of a finished slide. */
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

export type TransitionType = 'fade' | 'slide' | 'wipe';

/** The picture at `progress` (0–1, exclusive) on the way from `from` to `to`; both of one size. */
export function transitionPicture(
  type: TransitionType,
  from: YuvPicture,
  to: YuvPicture,
  progress: number,
): YuvPicture {
  const data = Buffer.allocUnsafe(from.data.length);
  if (type === 'fade') {
    blend(from.data, to.data, data, Math.round(progress * 256));
  } else {
    const eased = progress * progress * (3 - 2 * progress);
    for (const plane of planes(from)) shiftRows(type, from.data, to.data, data, plane, eased);
  }
  return { width: from.width, height: from.height, data };
}

/**
 * Mixes two buffers, `weight` of 256 parts from `to`. Byte by byte: V8 compiles this loop well. Measured on Node.js 20,
 * 1280x720: 0.7 ms a picture, against 1.3 ms with four bytes packed in a 32-bit word.
 */
function blend(from: Buffer, to: Buffer, out: Buffer, weight: number): void {
  const rest = 256 - weight;
  for (let i = 0; i < out.length; i++) {
    out[i] = ((from[i] as number) * rest + (to[i] as number) * weight) >> 8;
  }
}

interface Plane {
  offset: number;
  width: number;
  height: number;
}

function planes({ width, height }: YuvPicture): Plane[] {
  const luma = width * height;
  const half = { width: width / 2, height: height / 2 };
  return [
    { offset: 0, width, height },
    { offset: luma, ...half },
    { offset: luma + luma / 4, ...half },
  ];
}

/** Slide: the new picture pushes the old one to the left. Wipe: it is uncovered from the left. */
function shiftRows(
  type: 'slide' | 'wipe',
  from: Buffer,
  to: Buffer,
  out: Buffer,
  plane: Plane,
  progress: number,
): void {
  const edge = Math.round(plane.width * progress);
  const kept = plane.width - edge;
  for (let y = 0; y < plane.height; y++) {
    const row = plane.offset + y * plane.width;
    if (type === 'slide') {
      from.copy(out, row, row + edge, row + plane.width);
      to.copy(out, row + kept, row, row + edge);
    } else {
      to.copy(out, row, row, row + edge);
      from.copy(out, row + edge, row + edge, row + plane.width);
    }
  }
}
