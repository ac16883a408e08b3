import { describe, expect, it } from 'vitest';
import { createLimiter } from '../../../src/media/sound/limiter.ts';
import { createLoudnessMeter } from '../../../src/media/sound/loudness.ts';

const RATE = 48_000;

function tone(frequency: number, amplitude: (seconds: number) => number, seconds: number): Float32Array {
  const samples = new Float32Array(seconds * RATE * 2);
  for (let i = 0; i < samples.length / 2; i++) {
    const value = amplitude(i / RATE) * Math.sin((2 * Math.PI * frequency * i) / RATE + Math.PI / 4);
    samples[i * 2] = value;
    samples[i * 2 + 1] = value / 2;
  }
  return samples;
}

function limited(samples: Float32Array, gain: number, ceiling: number, block: number): Float32Array {
  const limiter = createLimiter(gain, ceiling);
  const pieces: Float32Array[] = [];
  for (let at = 0; at < samples.length; at += block * 2)
    pieces.push(limiter.push(samples.subarray(at, at + block * 2)));
  pieces.push(limiter.end());
  const out = new Float32Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

const truePeak = (samples: Float32Array): number => {
  const meter = createLoudnessMeter();
  meter.push(samples);
  return 10 ** (meter.result().truePeakDb / 20);
};

describe('the limiter', () => {
  it('gives back what is below the ceiling, sample by sample, with the gain and nothing else', () => {
    const samples = tone(440, () => 0.2, 1);
    const out = limited(samples, 2, 0.8, RATE);
    expect(out.length).toBe(samples.length);
    for (let i = 0; i < out.length; i += 997) expect(out[i]).toBeCloseTo((samples[i] as number) * 2, 6);
  });

  it.each([
    ['steady', () => 1],
    ['bursts', (t: number) => (Math.floor(t * 20) % 4 === 0 ? 1 : 0.05)],
  ])('keeps true peaks between the samples below the ceiling: %s', (_, amplitude) => {
    // A quarter of the rate at 45 degrees: the samples stay 3 dB below the wave.
    const samples = tone(12_000, amplitude, 1);
    expect(truePeak(samples)).toBeGreaterThan(0.95);
    expect(truePeak(limited(samples, 1.5, 0.5, 4800))).toBeLessThan(0.515);
  });

  it('does not depend on how the sound is cut into blocks', () => {
    const samples = tone(997, (t) => 0.3 + t, 0.5);
    expect(limited(samples, 1, 0.5, 500)).toEqual(limited(samples, 1, 0.5, RATE));
  });

  it('holds a loud tone at the ceiling instead of far below it', () => {
    expect(
      truePeak(
        limited(
          tone(440, () => 1, 1),
          1,
          0.5,
          RATE,
        ).subarray(RATE),
      ),
    ).toBeGreaterThan(0.48);
  });
});
