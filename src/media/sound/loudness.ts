import { SAMPLE_RATE } from '../codecs.ts';
import { interpolatedPeak, MIDDLE, MOST, TAPS } from './truePeak.ts';

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

/** Gating blocks of 400 ms overlap by 75 %: a mean square is kept for each 100 ms. */
const HOP = SAMPLE_RATE / 10;

/** Measures interleaved stereo at 48 kHz, block by block. */
export function createLoudnessMeter(): { push(samples: Float32Array): void; result(): Loudness } {
  const weighting = createWeighting();
  const peaks = [createPeakMeter(0), createPeakMeter(1)];
  return {
    push(samples) {
      weighting.push(samples);
      for (const peak of peaks) peak.push(samples);
    },
    result() {
      const peak = Math.max(...peaks.map((meter) => meter.result()));
      return { integratedLufs: integrate(weighting.meanSquares()), truePeakDb: 20 * Math.log10(peak) };
    },
  };
}

/**
 * The K-weighted energy of each hop, both channels together. The filters' states are in local variables while it works,
 * and both channels go through one loop: each filter waits for its own last output, so two that take turns cost little
 * more than one.
 */
function createWeighting() {
  const [sb0, sb1, sb2, sa1, sa2] = SHELF;
  const [hb0, hb1, hb2, ha1, ha2] = HIGH_PASS;
  const state = { ls1: 0, ls2: 0, lh1: 0, lh2: 0, rs1: 0, rs2: 0, rh1: 0, rh2: 0 };
  const energies: number[] = [];
  let energy = 0;
  let left = HOP;
  return {
    push(samples: Float32Array): void {
      let { ls1, ls2, lh1, lh2, rs1, rs2, rh1, rh2 } = state;
      let sum = energy;
      let rest = left;
      for (let i = 0; i < samples.length; i += 2) {
        const lx = samples[i] as number;
        const rx = samples[i + 1] as number;
        const ly = sb0 * lx + ls1;
        const ry = sb0 * rx + rs1;
        ls1 = sb1 * lx - sa1 * ly + ls2;
        rs1 = sb1 * rx - sa1 * ry + rs2;
        ls2 = sb2 * lx - sa2 * ly;
        rs2 = sb2 * rx - sa2 * ry;
        const lz = hb0 * ly + lh1;
        const rz = hb0 * ry + rh1;
        lh1 = hb1 * ly - ha1 * lz + lh2;
        rh1 = hb1 * ry - ha1 * rz + rh2;
        lh2 = hb2 * ly - ha2 * lz;
        rh2 = hb2 * ry - ha2 * rz;
        sum += lz * lz + rz * rz;
        if (--rest === 0) {
          energies.push(sum);
          sum = 0;
          rest = HOP;
        }
      }
      energy = sum;
      left = rest;
      Object.assign(state, { ls1, ls2, lh1, lh2, rs1, rs2, rh1, rh2 });
    },
    /** Of each whole hop. */
    meanSquares: (): number[] => energies.map((sum) => sum / HOP),
  };
}

/** The true peak of one channel of interleaved stereo. */
function createPeakMeter(index: 0 | 1) {
  let window = new Float32Array(TAPS - 1);
  let peak = 0;
  return {
    push(samples: Float32Array): void {
      const before = window.length;
      const all = new Float32Array(before + samples.length / 2);
      all.set(window);
      for (let i = index, to = before; i < samples.length; i += 2) all[to++] = samples[i] as number;
      peak = highest(all, peak);
      window = all.slice(-before);
    },
    result: () => peak,
  };
}

/**
 * The true peak of all windows that fit into `samples`, and not less than `peak`. The highest sample is found first; then
 * only what stands near it and above both of its neighbours can hide a higher value beside it.
 */
function highest(samples: Float32Array, peak: number): number {
  let found = peak;
  for (let i = 0; i < samples.length; i++) {
    const magnitude = Math.abs(samples[i] as number);
    if (magnitude > found) found = magnitude;
  }
  let limit = found / MOST;
  const last = samples.length - TAPS + MIDDLE - 1;
  for (let i = MIDDLE; i <= last; i++) {
    const magnitude = Math.abs(samples[i] as number);
    if (magnitude <= limit) continue;
    if (Math.abs(samples[i - 1] as number) > magnitude) continue;
    if (Math.abs(samples[i + 1] as number) > magnitude) continue;
    const before = interpolatedPeak(samples, i - MIDDLE);
    const after = interpolatedPeak(samples, i - MIDDLE + 1);
    found = Math.max(found, before, after);
    limit = found / MOST;
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
