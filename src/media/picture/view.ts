import { smoothstep } from '../smoothstep.ts';
import type { YuvPicture } from './frame.ts';

/** A rectangle of a picture in pixels; its edges may lie between pixels. */
export interface View {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Weights are in 256ths, so that a view moves in steps far below a pixel. */
const BITS = 8;
const ONE = 1 << BITS;

/** Shows `view` of `source` at `width` x `height` (both even), bilinear. What lies outside repeats the edge. */
export function resampleView(source: YuvPicture, view: View, width: number, height: number): YuvPicture {
  const data = Buffer.allocUnsafe((width * height * 3) / 2);
  const luma = source.width * source.height;
  let from = 0;
  let to = 0;
  for (const part of [1, 2, 2]) {
    const plane = source.data.subarray(from, from + luma / (part * part));
    const [sourceWidth, sourceHeight] = [source.width / part, source.height / part];
    const [outWidth, outHeight] = [width / part, height / part];
    const columns = taps(view.left / part, view.width / part, outWidth, sourceWidth);
    const rows = taps(view.top / part, view.height / part, outHeight, sourceHeight);
    resamplePlane(plane, sourceWidth, data.subarray(to, to + outWidth * outHeight), columns, rows);
    from += plane.length;
    to += outWidth * outHeight;
  }
  return { width, height, data };
}

interface Taps {
  /** The first of two neighbours, and how much of the second is taken. */
  first: Int32Array;
  second: Int32Array;
  weight: Int32Array;
}

function taps(start: number, length: number, count: number, limit: number): Taps {
  const [first, second, weight] = [new Int32Array(count), new Int32Array(count), new Int32Array(count)];
  for (let i = 0; i < count; i++) {
    // Centres of pixels lie at halves.
    const at = Math.min(limit - 1, Math.max(0, start + ((i + 0.5) * length) / count - 0.5));
    first[i] = Math.floor(at);
    second[i] = Math.min(limit - 1, Math.floor(at) + 1);
    weight[i] = Math.round((at - Math.floor(at)) * ONE);
  }
  return { first, second, weight };
}

function resamplePlane(plane: Buffer, stride: number, out: Buffer, columns: Taps, rows: Taps): void {
  const width = columns.first.length;
  for (let y = 0, to = 0; y < rows.first.length; y++) {
    const upper = (rows.first[y] as number) * stride;
    const lower = (rows.second[y] as number) * stride;
    const down = rows.weight[y] as number;
    for (let x = 0; x < width; x++, to++) {
      const left = columns.first[x] as number;
      const right = columns.second[x] as number;
      const across = columns.weight[x] as number;
      const above =
        (plane[upper + left] as number) * (ONE - across) + (plane[upper + right] as number) * across;
      const below =
        (plane[lower + left] as number) * (ONE - across) + (plane[lower + right] as number) * across;
      out[to] = (above * (ONE - down) + below * down + (1 << (2 * BITS - 1))) >> (2 * BITS);
    }
  }
}

/** The rectangle that keeps its colours while everything else is dimmed. Its edges are in pixels, soft over `softness` pixels. */
export interface Spotlight extends View {
  softness: number;
  /** 0: nothing is dimmed; 1: all is black outside. */
  strength: number;
}

/** Dims a picture outside of a rectangle, in place. */
export function dimOutside(picture: YuvPicture, light: Spotlight): void {
  if (light.strength <= 0) return;
  const { width, height, data } = picture;
  let from = 0;
  for (const part of [1, 2, 2]) {
    const black = part === 1 ? 16 : 128;
    const [planeWidth, planeHeight] = [width / part, height / part];
    const across = inside(light.left, light.width, light.softness, planeWidth, part);
    const down = inside(light.top, light.height, light.softness, planeHeight, part);
    for (let y = 0; y < planeHeight; y++) {
      for (let x = 0; x < planeWidth; x++, from++) {
        const dim = 1 - light.strength * (1 - (across[x] as number) * (down[y] as number));
        data[from] = black + ((data[from] as number) - black) * dim + 0.5;
      }
    }
  }
}

/** For each pixel of a row or column how much it lies inside, from 0 to 1. */
function inside(start: number, length: number, softness: number, count: number, part: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => {
    const at = (i + 0.5) * part;
    const distance = Math.min(at - start, start + length - at);
    return smoothstep(distance / softness + 0.5);
  });
}
