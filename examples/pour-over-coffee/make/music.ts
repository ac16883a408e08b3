/**
 * Composes the music bed: four slow chords, a plucked line above them, a bass below; 32 s that loop without a seam,
 * because every note's tail is wrapped round to the beginning. Run from the repository's root:
 * npx tsx examples/pour-over-coffee/make/music.ts | ffmpeg -f f32le -ar 48000 -ac 2 -i - -c:a aac -b:a 112k examples/pour-over-coffee/music/bed.m4a
 */
const RATE = 48_000;
const BEAT = 0.75;
const SECONDS = 16 * 4 * BEAT * (2 / 3);
const left = new Float32Array(SECONDS * RATE);
const right = new Float32Array(SECONDS * RATE);

const frequency = (midi: number): number => 440 * 2 ** ((midi - 69) / 12);

interface Voice {
  gain: number;
  attack: number;
  /** Seconds in which the note falls to a tenth. */
  decay: number;
  /** Gains of the partials. */
  partials: number[];
  /** -1 left to 1 right. */
  pan: number;
}

function play(midi: number, at: number, seconds: number, voice: Voice): void {
  const start = Math.round(at * RATE);
  const length = Math.round(seconds * RATE);
  for (let i = 0; i < length; i++) {
    const t = i / RATE;
    const envelope =
      Math.min(1, t / voice.attack) * 10 ** (-t / voice.decay) * Math.min(1, (seconds - t) / 0.3);
    let sample = 0;
    voice.partials.forEach((gain, n) => {
      sample += gain * Math.sin(2 * Math.PI * frequency(midi) * (n + 1) * (1 + n * 0.0004) * t);
    });
    const value = sample * envelope * voice.gain;
    const to = (start + i) % left.length;
    left[to] = (left[to] as number) + value * (1 - voice.pan) * 0.5;
    right[to] = (right[to] as number) + value * (1 + voice.pan) * 0.5;
  }
}

// Fmaj7 – Em7 – Dm9 – Cmaj7, two bars each.
const chords = [
  [53, 57, 60, 64],
  [52, 55, 59, 62],
  [50, 53, 57, 64],
  [48, 55, 59, 64],
];
const bar = SECONDS / 4;
chords.forEach((chord, c) => {
  chord.forEach((note, i) => {
    const pan = (i - 1.5) * 0.4;
    play(note, c * bar + i * 0.03, bar * 1.25, {
      gain: 0.16,
      attack: 0.9,
      decay: 14,
      partials: [1, 0.25, 0.08],
      pan,
    });
    play(note, c * bar + i * 0.05, bar, {
      gain: 0.2,
      attack: 0.008,
      decay: 2.4,
      partials: [1, 0.5, 0.16, 0.06],
      pan: -pan,
    });
  });
  play((chord[0] ?? 48) - 12, c * bar, bar, {
    gain: 0.3,
    attack: 0.03,
    decay: 5,
    partials: [1, 0.2],
    pan: 0,
  });
  [2, 3, 1, 3, 2, 0, 3, 1].forEach((degree, step) => {
    if ((step + c) % 4 === 3) return;
    const pan = step % 2 ? 0.5 : -0.5;
    const note = (chord[degree] ?? 60) + 12;
    play(note, c * bar + (step * bar) / 8 + 0.5, 2.6, {
      gain: 0.11,
      attack: 0.004,
      decay: 1.1,
      partials: [1, 0.3, 0.22, 0.05],
      pan,
    });
  });
});

const peak = Math.max(
  ...[left, right].map((channel) => channel.reduce((max, value) => Math.max(max, Math.abs(value)), 0)),
);
const interleaved = new Float32Array(left.length * 2);
for (let i = 0; i < left.length; i++) {
  interleaved[i * 2] = ((left[i] as number) / peak) * 0.7;
  interleaved[i * 2 + 1] = ((right[i] as number) / peak) * 0.7;
}
process.stdout.write(Buffer.from(interleaved.buffer));
