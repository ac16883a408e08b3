/** Two of the four phases of the interpolating filter of ITU-R BS.1770-5, annex 2; the others are these, reversed. */
const OUTER = Float64Array.from([
  0.001708984375, 0.010986328125, -0.0196533203125, 0.033203125, -0.0594482421875, 0.1373291015625,
  0.97216796875, -0.102294921875, 0.047607421875, -0.026611328125, 0.014892578125, -0.00830078125,
]);
const INNER = Float64Array.from([
  -0.0291748046875, 0.029296875, -0.0517578125, 0.089111328125, -0.16650390625, 0.465087890625, 0.77978515625,
  -0.2003173828125, 0.1015625, -0.0582275390625, 0.0330810546875, -0.0189208984375,
]);

/** Samples that the filter looks at. */
export const TAPS = OUTER.length;
/** The interpolated values lie between the samples `MIDDLE - 1` and `MIDDLE` of the window. */
export const MIDDLE = TAPS / 2;

/** No interpolated value exceeds the larger of its two neighbours by more than this: the sum of a phase's magnitudes. */
export const MOST = 2.1;

/**
 * The magnitude in the middle of `samples[from … from + TAPS]`: of the two samples there, and between them at four times
 * the rate where that could exceed `floor`. Between samples that are both lower than one beside them there is no peak.
 */
export function peakIn(samples: Float32Array, from: number, floor: number): number {
  const left = Math.abs(samples[from + MIDDLE - 1] as number);
  const right = Math.abs(samples[from + MIDDLE] as number);
  const middle = left > right ? left : right;
  if (middle * MOST <= floor) return middle;
  if (Math.abs(samples[from + MIDDLE - 2] as number) > middle) return middle;
  if (Math.abs(samples[from + MIDDLE + 1] as number) > middle) return middle;
  const between = interpolatedPeak(samples, from);
  return between > middle ? between : middle;
}

/** The largest magnitude of the four values between the two samples in the middle of a window; four sums in one walk. */
export function interpolatedPeak(window: Float32Array, from: number): number {
  let first = 0;
  let second = 0;
  let third = 0;
  let fourth = 0;
  for (let tap = 0, at = from + TAPS - 1; tap < TAPS; tap++, at--) {
    const sample = window[at] as number;
    const outer = OUTER[tap] as number;
    const inner = INNER[tap] as number;
    first += outer * sample;
    second += inner * sample;
    third += (INNER[TAPS - 1 - tap] as number) * sample;
    fourth += (OUTER[TAPS - 1 - tap] as number) * sample;
  }
  return Math.max(Math.abs(first), Math.abs(second), Math.abs(third), Math.abs(fourth));
}
