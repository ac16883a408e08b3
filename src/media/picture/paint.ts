import type { YuvPicture } from './frame.ts';

/** Rasterised pixels: RGBA, 8 bits, not premultiplied. */
export interface Layer {
  width: number;
  height: number;
  rgba: Buffer;
}

export type Rgb = readonly [red: number, green: number, blue: number];

// BT.709 luma weights (ITU-R BT.709-6, section 3), scaled to the limited range: Y 16–235, Cb and Cr 16–240.
const [KR, KG, KB] = [0.2126, 0.7152, 0.0722];
const LUMA = 219 / 255;
const CHROMA = 224 / 255;
const [YR, YG, YB] = [KR * LUMA, KG * LUMA, KB * LUMA];
const [UR, UG, UB] = [(-KR / (2 * (1 - KB))) * CHROMA, (-KG / (2 * (1 - KB))) * CHROMA, 0.5 * CHROMA];
const [VR, VG, VB] = [0.5 * CHROMA, (-KG / (2 * (1 - KR))) * CHROMA, (-KB / (2 * (1 - KR))) * CHROMA];

/** Draws a layer onto a picture with its upper left corner at (`left`, `top`), whole pixels; what lies outside is cut. */
export function drawOver(picture: YuvPicture, layer: Layer, left: number, top: number): void {
  drawLuma(picture, layer, left, top);
  drawChroma(picture, layer, left, top);
}

function drawLuma({ width, height, data }: YuvPicture, layer: Layer, left: number, top: number): void {
  const { rgba } = layer;
  const [firstX, lastX] = [Math.max(0, -left), Math.min(layer.width, width - left)];
  const lastY = Math.min(layer.height, height - top);
  for (let y = Math.max(0, -top); y < lastY; y++) {
    let from = (y * layer.width + firstX) * 4;
    let to = (top + y) * width + left + firstX;
    for (let x = firstX; x < lastX; x++, from += 4, to++) {
      const alpha = rgba[from + 3] as number;
      if (alpha === 0) continue;
      const own =
        16 + YR * (rgba[from] as number) + YG * (rgba[from + 1] as number) + YB * (rgba[from + 2] as number);
      const below = data[to] as number;
      data[to] = below + ((own - below) * alpha) / 255 + 0.5;
    }
  }
}

/** A chroma sample is the mean of its 2x2 pixels, each with as much of the layer as it has. */
function drawChroma({ width, height, data }: YuvPicture, layer: Layer, left: number, top: number): void {
  const { rgba } = layer;
  const [chromaWidth, chromaHeight] = [width >> 1, height >> 1];
  const cb = width * height;
  const cr = cb + chromaWidth * chromaHeight;
  const [firstX, lastX] = [Math.max(0, left >> 1), Math.min(chromaWidth, (left + layer.width + 1) >> 1)];
  const lastY = Math.min(chromaHeight, (top + layer.height + 1) >> 1);
  for (let cy = Math.max(0, top >> 1); cy < lastY; cy++) {
    for (let cx = firstX; cx < lastX; cx++) {
      let [alpha, red, green, blue] = [0, 0, 0, 0];
      for (let corner = 0; corner < 4; corner++) {
        const x = 2 * cx + (corner & 1) - left;
        const y = 2 * cy + (corner >> 1) - top;
        if (x < 0 || y < 0 || x >= layer.width || y >= layer.height) continue;
        const from = (y * layer.width + x) * 4;
        const own = rgba[from + 3] as number;
        alpha += own;
        red += (rgba[from] as number) * own;
        green += (rgba[from + 1] as number) * own;
        blue += (rgba[from + 2] as number) * own;
      }
      if (alpha === 0) continue;
      const at = cy * chromaWidth + cx;
      const through = 1020 - alpha;
      const u = 128 * alpha + UR * red + UG * green + UB * blue;
      const v = 128 * alpha + VR * red + VG * green + VB * blue;
      data[cb + at] = ((data[cb + at] as number) * through + u) / 1020 + 0.5;
      data[cr + at] = ((data[cr + at] as number) * through + v) / 1020 + 0.5;
    }
  }
}

/** In 65,536ths: whole numbers are mixed faster. */
const ONE = 65_536;

/**
 * Mixes a colour over a picture, in place: at each pixel as much of it as its row times its column says, from 0 to 1 (rows
 * may exceed 1), but not more than `most`.
 */
export function mixOver(
  { width, height, data }: YuvPicture,
  [red, green, blue]: Rgb,
  rows: Float32Array,
  columns: Float32Array,
  most: number,
): void {
  const y = 16 + YR * red + YG * green + YB * blue;
  const u = 128 + UR * red + UG * green + UB * blue;
  const v = 128 + VR * red + VG * green + VB * blue;
  const luma = width * height;
  mixPlane(data.subarray(0, luma), y, rows, columns, most);
  const [halfRows, halfColumns] = [halved(rows), halved(columns)];
  const quarter = luma / 4;
  mixPlane(data.subarray(luma, luma + quarter), u, halfRows, halfColumns, most);
  mixPlane(data.subarray(luma + quarter, luma + 2 * quarter), v, halfRows, halfColumns, most);
}

function mixPlane(
  plane: Buffer,
  value: number,
  rows: Float32Array,
  columns: Float32Array,
  most: number,
): void {
  const width = columns.length;
  // Two bits less for each, so that their product is a small integer.
  const across = Int32Array.from(columns, (share) => Math.round(share * (ONE >> 2)));
  const limit = Math.round(most * ONE);
  // With half a level in it, for rounding.
  const level = Math.round(value * 256);
  for (let y = 0; y < rows.length; y++) {
    const strength = Math.round((rows[y] as number) * (ONE >> 2));
    if (strength === 0) continue;
    for (let x = 0, at = y * width; x < width; x++, at++) {
      const share = (strength * (across[x] as number)) >> 12;
      const below = plane[at] as number;
      plane[at] =
        below + (((level - (below << 8)) * ((share > limit ? limit : share) >> 3) + (1 << 20)) >> 21);
    }
  }
}

/** The mean of each two that follow each other. */
function halved(values: Float32Array): Float32Array {
  return Float32Array.from(
    { length: values.length / 2 },
    (_, i) => ((values[2 * i] as number) + (values[2 * i + 1] as number)) / 2,
  );
}
