/** The four phases of the interpolating filter of ITU-R BS.1770-5, annex 2 (the last two are the first reversed). */
const PHASE_0 = [
  0.001708984375, 0.010986328125, -0.0196533203125, 0.033203125, -0.0594482421875, 0.1373291015625,
  0.97216796875, -0.102294921875, 0.047607421875, -0.026611328125, 0.014892578125, -0.00830078125,
];
const PHASE_1 = [
  -0.0291748046875, 0.029296875, -0.0517578125, 0.089111328125, -0.16650390625, 0.465087890625, 0.77978515625,
  -0.2003173828125, 0.1015625, -0.0582275390625, 0.0330810546875, -0.0189208984375,
];
const FILTER = Float64Array.from([
  ...PHASE_0,
  ...PHASE_1,
  ...[...PHASE_1].reverse(),
  ...[...PHASE_0].reverse(),
]);

/** Samples that the filter looks at. */
export const TAPS = PHASE_0.length;
/** The interpolated values lie between the samples `MIDDLE - 1` and `MIDDLE` of the window. */
export const MIDDLE = TAPS / 2;

/** No interpolated value exceeds the larger of its two neighbours by more than this: the sum of a phase's magnitudes. */
const MOST = 2.1;

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

/** The largest magnitude of the four values between the two samples in the middle. */
function interpolatedPeak(window: Float32Array, from: number): number {
  let peak = 0;
  for (let phase = 0; phase < FILTER.length; phase += TAPS) {
    let sum = 0;
    for (let tap = 0; tap < TAPS; tap++) {
      sum += (FILTER[phase + tap] as number) * (window[from + TAPS - 1 - tap] as number);
    }
    const magnitude = sum < 0 ? -sum : sum;
    if (magnitude > peak) peak = magnitude;
  }
  return peak;
}
