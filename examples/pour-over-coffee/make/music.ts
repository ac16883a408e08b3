/**
 * Composes the music bed: twelve slow bars in D for electric piano, pad, bass, a plucked line and brushes. Everything
 * that rings past the end is added to the beginning, so that the loop has no seam. Run from the repository's root:
 *
 *     npx tsx examples/pour-over-coffee/make/music.ts | ffmpeg -f f32le -ar 48000 -ac 2 -i - \
 *       -c:a aac -b:a 96k -map_metadata -1 -bitexact -y examples/pour-over-coffee/music/bed.m4a
 */
const RATE = 48_000;
/** 1,680 whole AAC frames of 1,024 samples: a decoder gives back exactly the loop. 35.84 s, 80.4 beats a minute. */
const LENGTH = 1_680 * 1_024;
const BARS = 12;
const BEAT = LENGTH / RATE / BARS / 4;

/** A stereo track as long as the loop; what is added past its end lands at its beginning. */
class Loop {
  readonly left = new Float32Array(LENGTH);
  readonly right = new Float32Array(LENGTH);

  /** Adds `sound(t)` for `seconds` from `beat` on; `pan` from -1 (left) to 1 (right), with equal power. */
  add(beat: number, seconds: number, pan: number, sound: (t: number) => number): void {
    const start = Math.round(beat * BEAT * RATE);
    const [l, r] = [Math.cos(((pan + 1) * Math.PI) / 4), Math.sin(((pan + 1) * Math.PI) / 4)];
    for (let i = 0; i < seconds * RATE; i++) {
      const to = (start + i) % LENGTH;
      const value = sound(i / RATE);
      this.left[to] = (this.left[to] ?? 0) + value * l;
      this.right[to] = (this.right[to] ?? 0) + value * r;
    }
  }
}

const hertz = (midi: number): number => 440 * 2 ** ((midi - 69) / 12);
const TAU = 2 * Math.PI;

/** A small generator instead of Math.random, for the same file every time (Park and Miller, 1988); -1 to 1. */
function noiseFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return (state / 2_147_483_647) * 2 - 1;
  };
}

/** A tine electric piano by frequency modulation (Chowning 1973): bright at the stroke, then nearly a sine. */
function tine(midi: number, strength: number): (t: number) => number {
  const f = hertz(midi);
  return (t) => {
    const body = Math.sin(TAU * f * t + 0.9 * strength * Math.exp(-t * 2.6) * Math.sin(TAU * f * t));
    const bell = 0.09 * Math.exp(-t * 9) * Math.sin(TAU * f * 7.02 * t);
    return (
      strength * Math.min(1, t / 0.006) * (Math.exp(-t * 0.9) * body + bell) * Math.min(1, (4.6 - t) * 2)
    );
  };
}

/** Two slightly detuned voices that swell and fade. */
function pad(midi: number, seconds: number): (t: number) => number {
  const f = hertz(midi);
  return (t) => {
    const swell = Math.sin(Math.PI * Math.min(1, t / seconds)) ** 1.5;
    const voice = (detune: number) =>
      Math.sin(TAU * f * detune * t) + 0.3 * Math.sin(TAU * 2 * f * detune * t);
    return 0.5 * swell * (voice(1.0017) + voice(0.9984));
  };
}

/** A nylon string (Karplus and Strong, 1983): noise in a loop that grows dull; tuned by interpolation. */
function pluck(midi: number, seed: number): (t: number) => number {
  const period = RATE / hertz(midi) - 0.5;
  const whole = Math.floor(period);
  const part = period - whole;
  const noise = noiseFrom(seed);
  let before = 0;
  const string = Array.from({ length: whole + 1 }, () => {
    before += 0.35 * (noise() - before);
    return before;
  });
  const out: number[] = [];
  for (let i = 0; i < RATE * 3; i++) {
    const at = (delay: number): number => out[i - delay] ?? 0;
    const delayed = (1 - part) * at(whole) + part * at(whole + 1);
    const older = (1 - part) * at(whole + 1) + part * at(whole + 2);
    out.push((string[i] ?? 0) + 0.9965 * 0.5 * (delayed + older));
  }
  return (t) => (out[Math.round(t * RATE)] ?? 0) * Math.min(1, (3 - t) * 4);
}

/** A wire brush on a snare's skin: noise between two low-passes, under a slow stroke. */
function brush(seconds: number, attack: number, seed: number): (t: number) => number {
  const noise = noiseFrom(seed);
  let [high, low] = [0, 0];
  return (t) => {
    const n = noise();
    high += 0.55 * (n - high);
    low += 0.16 * (n - low);
    return (high - low) * Math.min(1, t / attack) * Math.exp((-4.5 * t) / seconds);
  };
}

// Dmaj9, Bm9, Gmaj9, A13sus; Dmaj9, F#m7, Gmaj9, A9sus; Em9, F#m7, Gmaj9, A13sus.
const CHORDS = [
  [38, 54, 57, 61, 64],
  [35, 54, 57, 61, 62],
  [43, 54, 57, 59, 62],
  [45, 54, 55, 59, 62],
  [38, 54, 57, 61, 64],
  [42, 52, 57, 61, 64],
  [43, 54, 57, 59, 66],
  [45, 55, 59, 62, 64],
  [40, 54, 55, 59, 62],
  [42, 52, 57, 61, 64],
  [43, 54, 59, 62, 66],
  [45, 54, 55, 59, 64],
];
/** The plucked line: bar, beat in it, note. It leaves room, a voice stands above it. */
const MELODY: [number, number, number][] = [
  [0, 1.5, 78],
  [0, 2.5, 76],
  [0, 3, 73],
  [1, 1, 74],
  [2, 1.5, 71],
  [2, 2.5, 74],
  [2, 3.5, 78],
  [3, 1, 76],
  [4, 1.5, 81],
  [4, 2.5, 78],
  [4, 3, 76],
  [5, 1, 73],
  [6, 1.5, 74],
  [6, 2.5, 78],
  [7, 0.5, 76],
  [8, 1.5, 79],
  [8, 2.5, 78],
  [8, 3.5, 74],
  [9, 1, 76],
  [10, 1.5, 78],
  [10, 2.5, 74],
  [10, 3, 71],
  [11, 1, 69],
  [11, 2.5, 71],
];

function compose(): Loop {
  const music = new Loop();
  CHORDS.forEach(([bass = 38, ...chord], bar) => {
    const first = bar * 4;
    music.add(first, 2.4, 0, (t) => {
      const f = hertz(bass);
      return (
        0.25 *
        Math.min(1, t / 0.02) *
        Math.exp(-t * 1.1) *
        (Math.sin(TAU * f * t) + 0.18 * Math.sin(TAU * 2 * f * t))
      );
    });
    music.add(
      first + 2.5,
      1.2,
      0,
      (t) => 0.14 * Math.min(1, t / 0.02) * Math.exp(-t * 2) * Math.sin(TAU * hertz(bass) * t),
    );
    chord.forEach((note, i) => {
      const pan = (i - 1.5) * 0.35;
      // A hand is never quite together: a few hundredths of a beat from the lowest to the highest note.
      const struck = tine(note, 0.15 - 0.012 * i);
      music.add(first + i * 0.035, 4.6, pan, struck);
      const again = tine(note, 0.075);
      if (i > 0) music.add(first + 2.5 + i * 0.03, 4.6, pan, again);
      const swell = pad(note, BEAT * 5);
      music.add(first - 0.5 + (bar === 0 ? BARS * 4 : 0), BEAT * 5, -pan * 1.6, (t) => 0.026 * swell(t));
    });
    for (const [beat, gain, seconds, attack] of [
      [0, 0.02, 0.5, 0.05],
      [1, 0.05, 0.34, 0.012],
      [1.5, 0.016, 0.2, 0.02],
      [2, 0.02, 0.5, 0.05],
      [3, 0.055, 0.34, 0.012],
      [3.66, 0.02, 0.22, 0.02],
    ] as const) {
      const stroke = brush(seconds, attack, 7 + bar * 31 + Math.round(beat * 100));
      music.add(first + beat, 0.8, beat % 2 ? 0.25 : -0.2, (t) => gain * 4 * stroke(t));
    }
  });
  MELODY.forEach(([bar, beat, note], i) => {
    const string = pluck(note, 1_000 + i);
    music.add(bar * 4 + beat + 0.02 * Math.sin(i * 2.3), 3, i % 2 ? 0.35 : -0.3, (t) => 0.8 * string(t));
  });
  return music;
}

/** A hall of eight crossed delays (Jot 1991, with a Hadamard-like reflection), run twice so that its tail is in the loop. */
function reverb(dry: Float32Array, spread: number): Float32Array {
  const lengths = [1_423, 1_777, 2_137, 2_503, 2_917, 3_347, 3_793, 4_231].map((n) => n + spread);
  const lines = lengths.map((n) => new Float32Array(n));
  const dull = new Float32Array(8);
  const wet = new Float32Array(LENGTH);
  for (let i = 0; i < LENGTH * 2; i++) {
    let sum = 0;
    lines.forEach((line, k) => {
      dull[k] = (dull[k] ?? 0) + 0.42 * ((line[i % line.length] ?? 0) - (dull[k] ?? 0));
      sum += dull[k] ?? 0;
    });
    lines.forEach((line, k) => {
      line[i % line.length] = (dry[i % LENGTH] ?? 0) + 0.84 * ((dull[k] ?? 0) - sum / 4);
    });
    wet[i % LENGTH] = sum / 8;
  }
  return wet;
}

/** Two one-pole low-passes at about 5 kHz, run twice round the loop so that they begin as they end. */
function warm(track: Float32Array): Float32Array {
  const out = new Float32Array(LENGTH);
  let [a, b] = [0, 0];
  for (let i = 0; i < LENGTH * 2; i++) {
    a += 0.48 * ((track[i % LENGTH] ?? 0) - a);
    b += 0.48 * (a - b);
    out[i % LENGTH] = b;
  }
  return out;
}

const music = compose();
const [left, right] = [music.left, music.right].map((dry, side) => {
  const wet = reverb(dry, side * 37);
  return warm(dry.map((value, i) => value + 0.55 * (wet[i] ?? 0)));
}) as [Float32Array, Float32Array];
const peak = [left, right].reduce(
  (max, track) => track.reduce((m, value) => Math.max(m, Math.abs(value)), max),
  0,
);
const interleaved = new Float32Array(LENGTH * 2);
for (let i = 0; i < LENGTH; i++) {
  interleaved[i * 2] = ((left[i] ?? 0) / peak) * 0.7;
  interleaved[i * 2 + 1] = ((right[i] ?? 0) / peak) * 0.7;
}
process.stdout.write(Buffer.from(interleaved.buffer));
