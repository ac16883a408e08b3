import { peakIn, TAPS } from './truePeak.ts';

/** Integrated loudness in LUFS (undefined for silence) and true peak in dBTP (-Infinity for silence). */
export interface Loudness {
  integratedLufs: number | undefined;
  truePeakDb: number;
}

/** K-weighting at 48 kHz: the two biquads of ITU-R BS.1770-5, tables 1 and 2; b0, b1, b2, a1, a2. */
const SHELF = [
  1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585,
] as const;
const HIGH_PASS = [1, -2, 1, -1.99004745483398, 0.99007225036621] as const;

const SAMPLE_RATE = 48_000;
/** Gating blocks of 400 ms overlap by 75 %: a mean square is kept for each 100 ms. */
const HOP = SAMPLE_RATE / 10;

/** Measures interleaved stereo at 48 kHz, block by block. */
export function createLoudnessMeter(): { push(samples: Float32Array): void; result(): Loudness } {
  const channels = [createChannel(0), createChannel(1)];
  const energies: number[] = [];
  let measured = 0;
  return {
    push(samples) {
      for (const channel of channels) channel.push(samples, energies, measured);
      measured += samples.length / 2;
    },
    result() {
      const hops = energies.slice(0, Math.floor(measured / HOP)).map((energy) => energy / HOP);
      const peak = Math.max(...channels.map((channel) => channel.peak()));
      return { integratedLufs: integrate(hops), truePeakDb: 20 * Math.log10(peak) };
    },
  };
}

/** One channel of interleaved stereo. Its filters' states are in local variables while it works: half the time. */
function createChannel(index: 0 | 1) {
  const [sb0, sb1, sb2, sa1, sa2] = SHELF;
  const [hb0, hb1, hb2, ha1, ha2] = HIGH_PASS;
  const state = { s1: 0, s2: 0, h1: 0, h2: 0 };
  let window = new Float32Array(TAPS - 1);
  let peak = 0;
  return {
    /** Adds the weighted energy of each sample to that of its hop; `measured` samples came before. */
    push(samples: Float32Array, energies: number[], measured: number): void {
      const count = samples.length / 2;
      let { s1, s2, h1, h2 } = state;
      let hop = Math.floor(measured / HOP);
      let left = HOP - (measured % HOP);
      let energy = energies[hop] ?? 0;
      for (let i = 0; i < count; i++) {
        const x = samples[i * 2 + index] as number;
        const y = sb0 * x + s1;
        s1 = sb1 * x - sa1 * y + s2;
        s2 = sb2 * x - sa2 * y;
        const z = hb0 * y + h1;
        h1 = hb1 * y - ha1 * z + h2;
        h2 = hb2 * y - ha2 * z;
        energy += z * z;
        if (--left === 0) {
          energies[hop++] = energy;
          energy = energies[hop] ?? 0;
          left = HOP;
        }
      }
      energies[hop] = energy;
      Object.assign(state, { s1, s2, h1, h2 });

      const longer = new Float32Array(window.length + count);
      longer.set(window);
      for (let i = 0; i < count; i++) longer[window.length + i] = samples[i * 2 + index] as number;
      peak = highest(longer, peak);
      window = longer.slice(count);
    },
    peak: () => peak,
  };
}

/** The true peak of all windows that fit into `samples`, and not less than `peak`. */
function highest(samples: Float32Array, peak: number): number {
  let found = peak;
  for (let i = 0; i + TAPS <= samples.length; i++) {
    const here = peakIn(samples, i, found);
    if (here > found) found = here;
  }
  return found;
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
