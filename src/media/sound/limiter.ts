import { SAMPLE_RATE } from '../codecs.ts';
import { MIDDLE, peakIn, TAPS } from './truePeak.ts';

/** How far the limiter looks ahead, and how long it takes to a new gain: 2 ms. */
const AHEAD = 0.002 * SAMPLE_RATE;
/** The gain comes back by 63 % of what is missing in 60 ms. */
const RELEASE = 1 - Math.exp(-1 / (0.06 * SAMPLE_RATE));
/** A peak is known when the filter has seen the samples after it. */
const DELAY = AHEAD + TAPS - 1 - MIDDLE;

/**
 * A look-ahead limiter for interleaved stereo at 48 kHz that keeps true peaks below `ceiling` (linear) after `gain`.
 *
 * The gain that the loudest point needs is held over the look-ahead (a sliding minimum) and then averaged over the same
 * time: it is reached without a step, and just when the peak comes. Both channels get the same gain, so that nothing
 * wanders between them. In all as many samples come out as went in; `end` gives the last ones.
 */
export function createLimiter(
  gain: number,
  ceiling: number,
): { push(samples: Float32Array): Float32Array; end(): Float32Array } {
  const held = createSlidingMinimum(AHEAD + 1);
  const average = createMovingAverage(AHEAD);
  let left: Float32Array = new Float32Array(DELAY);
  let right: Float32Array = new Float32Array(DELAY);
  let envelope = 1;
  let isFirst = true;

  const process = (samples: Float32Array): Float32Array => {
    const count = samples.length / 2;
    left = extend(left, samples, 0, gain);
    right = extend(right, samples, 1, gain);
    const out = new Float32Array(samples.length);
    for (let i = 0; i < count; i++) {
      const window = DELAY + i - TAPS + 1;
      const peak = Math.max(peakIn(left, window, ceiling), peakIn(right, window, ceiling));
      const needed = held(peak > ceiling ? ceiling / peak : 1);
      envelope = needed < envelope ? needed : envelope + (needed - envelope) * RELEASE;
      const factor = average(envelope);
      out[i * 2] = (left[i] as number) * factor;
      out[i * 2 + 1] = (right[i] as number) * factor;
    }
    left = left.slice(count);
    right = right.slice(count);
    return out;
  };
  return {
    push(samples) {
      // Before the first sample there is the silence of the delay.
      const cut = isFirst ? DELAY * 2 : 0;
      isFirst = false;
      return process(samples).subarray(cut);
    },
    end: () => process(new Float32Array(DELAY * 2)),
  };
}

/** `before`, then one channel of `samples` with the gain. */
function extend(before: Float32Array, samples: Float32Array, channel: 0 | 1, gain: number): Float32Array {
  const all = new Float32Array(before.length + samples.length / 2);
  all.set(before);
  for (let i = channel, to = before.length; i < samples.length; i += 2)
    all[to++] = (samples[i] as number) * gain;
  return all;
}

/** The least of the last `length` values (a monotonic queue: Lemire 2006, arXiv:cs/0610046). */
function createSlidingMinimum(length: number): (value: number) => number {
  const values = new Float64Array(length + 1);
  const times = new Float64Array(length + 1);
  const size = length + 1;
  let head = 0;
  let count = 0;
  let time = 0;
  return (value) => {
    if (count > 0 && (times[head] as number) <= time - length) {
      head = (head + 1) % size;
      count--;
    }
    while (count > 0 && (values[(head + count - 1) % size] as number) >= value) count--;
    const at = (head + count) % size;
    values[at] = value;
    times[at] = time++;
    count++;
    return values[head] as number;
  };
}

/** The mean of the last `length` values; before there are so many, of ones. */
function createMovingAverage(length: number): (value: number) => number {
  const values = new Float64Array(length).fill(1);
  let sum = length;
  let at = 0;
  return (value) => {
    sum += value - (values[at] as number);
    values[at] = value;
    at = (at + 1) % length;
    return sum / length;
  };
}
