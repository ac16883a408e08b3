import { describe, expect, it } from 'vitest';
import { createLoudnessMeter } from '../../../src/media/sound/loudness.ts';

function sine(frequency: number, amplitude: number, seconds: number, phase = 0): Float32Array {
  const samples = new Float32Array(seconds * 48_000 * 2);
  for (let i = 0; i < samples.length; i += 2) {
    const value = amplitude * Math.sin((2 * Math.PI * frequency * i) / 2 / 48_000 + phase);
    samples[i] = value;
    samples[i + 1] = value;
  }
  return samples;
}

describe('the loudness meter', () => {
  it('reads a 1 kHz sine of -23 dBFS in both channels as -23 LUFS (EBU Tech 3341, case 1)', () => {
    const meter = createLoudnessMeter();
    meter.push(sine(1000, 10 ** (-23 / 20), 20));
    expect(meter.result().integratedLufs).toBeCloseTo(-23, 1);
  });

  it('leaves silence out by its gates', () => {
    const meter = createLoudnessMeter();
    meter.push(sine(1000, 10 ** (-23 / 20), 10));
    meter.push(new Float32Array(48_000 * 2 * 20));
    expect(meter.result().integratedLufs).toBeGreaterThan(-23.3);
  });

  it('sees the peak between the samples: fs/4 at 45 degrees (EBU Tech 3341, case 16)', () => {
    const meter = createLoudnessMeter();
    meter.push(sine(12_000, 0.5, 1, Math.PI / 4));
    expect(meter.result().truePeakDb).toBeGreaterThan(-6.4);
    expect(meter.result().truePeakDb).toBeLessThan(-5.8);
  });

  it('has no loudness for silence', () => {
    const meter = createLoudnessMeter();
    meter.push(new Float32Array(48_000 * 2));
    expect(meter.result()).toEqual({ integratedLufs: undefined, truePeakDb: Number.NEGATIVE_INFINITY });
  });
});
