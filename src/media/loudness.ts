/** Integrated loudness in LUFS (undefined for silence) and true peak in dBTP (-Infinity for silence). */
export interface Loudness {
  integratedLufs: number | undefined;
  truePeakDb: number;
}

/** K-weighting at 48 kHz: the two biquads of ITU-R BS.1770-5, tables 1 and 2. */
const SHELF = [
  1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585,
] as const;
const HIGH_PASS = [1, -2, 1, -1.99004745483398, 0.99007225036621] as const;

/** The four phases of the interpolating filter of ITU-R BS.1770-5, annex 2 (the last two are the first reversed). */
const PHASE_0 = [
  0.001708984375, 0.010986328125, -0.0196533203125, 0.033203125, -0.0594482421875, 0.1373291015625,
  0.97216796875, -0.102294921875, 0.047607421875, -0.026611328125, 0.014892578125, -0.00830078125,
];
const PHASE_1 = [
  -0.0291748046875, 0.029296875, -0.0517578125, 0.089111328125, -0.16650390625, 0.465087890625, 0.77978515625,
  -0.2003173828125, 0.1015625, -0.0582275390625, 0.0330810546875, -0.0189208984375,
];
const PHASES = [PHASE_0, PHASE_1, [...PHASE_1].reverse(), [...PHASE_0].reverse()];
const TAPS = PHASE_0.length;

const SAMPLE_RATE = 48_000;
/** Gating blocks of 400 ms overlap by 75 %: a mean square is kept for each 100 ms. */
const HOP = SAMPLE_RATE / 10;

/** Measures interleaved stereo at 48 kHz, block by block. */
export function createLoudnessMeter(): { push(samples: Float32Array): void; result(): Loudness } {
  const channels = [createChannel(), createChannel()];
  const hops: number[] = [];
  let inHop = 0;
  let energy = 0;
  return {
    push(samples) {
      for (let i = 0; i < samples.length; i += 2) {
        for (let c = 0; c < 2; c++) {
          const weighted = (channels[c] as Channel).push(samples[i + c] as number);
          energy += weighted * weighted;
        }
        if (++inHop === HOP) {
          hops.push(energy / HOP);
          inHop = 0;
          energy = 0;
        }
      }
    },
    result() {
      const peak = Math.max(...channels.map((channel) => channel.peak()));
      return { integratedLufs: integrate(hops), truePeakDb: 20 * Math.log10(peak) };
    },
  };
}

interface Channel {
  /** Takes a sample, answers it K-weighted. */
  push(sample: number): number;
  peak(): number;
}

function createChannel(): Channel {
  const shelf = createBiquad(SHELF);
  const highPass = createBiquad(HIGH_PASS);
  // Twice the taps: the window is always one contiguous run, so no index wraps in the inner loop.
  const history = new Float64Array(TAPS * 2);
  let at = 0;
  let peak = 0;
  return {
    push(sample) {
      history[at] = sample;
      history[at + TAPS] = sample;
      at = (at + 1) % TAPS;
      // The filter's gain is below 2, so a window whose middle is far below the peak cannot exceed it.
      const middle = Math.max(
        Math.abs(history[at + TAPS / 2] as number),
        Math.abs(history[at + TAPS / 2 - 1] as number),
      );
      if (middle * 2 > peak) peak = Math.max(peak, middle, interpolatedPeak(history, at));
      return highPass(shelf(sample));
    },
    peak: () => peak,
  };
}

function interpolatedPeak(history: Float64Array, oldest: number): number {
  let peak = 0;
  for (const phase of PHASES) {
    let sum = 0;
    for (let tap = 0; tap < TAPS; tap++) {
      sum += (phase[tap] as number) * (history[oldest + TAPS - 1 - tap] as number);
    }
    peak = Math.max(peak, Math.abs(sum));
  }
  return peak;
}

function createBiquad([b0, b1, b2, a1, a2]: readonly [number, number, number, number, number]) {
  let z1 = 0;
  let z2 = 0;
  return (x: number): number => {
    const y = b0 * x + z1;
    z1 = b1 * x - a1 * y + z2;
    z2 = b2 * x - a2 * y;
    return y;
  };
}

/** Gated loudness of BS.1770-5: absolute gate at -70 LUFS, relative gate 10 LU below the mean of what is left. */
function integrate(hops: readonly number[]): number | undefined {
  const blocks: number[] = [];
  for (let i = 3; i < hops.length; i++) {
    blocks.push(((hops[i] ?? 0) + (hops[i - 1] ?? 0) + (hops[i - 2] ?? 0) + (hops[i - 3] ?? 0)) / 4);
  }
  const audible = blocks.filter((block) => lufs(block) > -70);
  const gate = lufs(mean(audible)) - 10;
  const loud = audible.filter((block) => lufs(block) > gate);
  return loud.length > 0 ? lufs(mean(loud)) : undefined;
}

const lufs = (meanSquare: number): number => -0.691 + 10 * Math.log10(meanSquare);
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
