import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demuxerOf, SNIFF_BYTES, sniffFormat } from '../../src/assets/sniff.ts';
import { quietFfmpeg } from '../../src/media/ffmpeg.ts';
import type { Loudness } from '../../src/media/sound/loudness.ts';
import type { SoundtrackContent } from '../../src/render/plan/soundtrackContent.ts';
import { makeSoundtrack } from '../../src/render/sound/soundtrack.ts';

let folder: string;

beforeAll(() => {
  quietFfmpeg();
  folder = mkdtempSync(join(tmpdir(), 'preview-sound-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function ffmpeg(...args: string[]): string {
  const { status, stderr } = spawnSync('ffmpeg', ['-y', '-nostats', ...args], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return stderr;
}

/** Six seconds that are like speech: noise that swells, breaks off and comes again, with hard peaks. */
function makeSound(name: string, rate: number, channels: number, codec: string[]): Buffer {
  const path = join(folder, name);
  const speech =
    '(0.02+0.5*abs(sin(2*PI*0.7*t)))*(random(0)-0.5)*gt(mod(t,1.7),0.4)+0.6*sin(2*PI*180*t)*gt(mod(t,2.3),2.2)';
  const layout = { 1: 'mono', 2: 'stereo', 6: '5.1' }[channels];
  const source = `aevalsrc=exprs='${speech}':s=${rate}:d=6,aformat=channel_layouts=mono,pan=${layout}|${Array.from({ length: channels }, (_, c) => `c${c}=c0`).join('|')}`;
  ffmpeg('-f', 'lavfi', '-i', source, ...codec, path);
  return readFileSync(path);
}

/** What ffmpeg's own meter says of a file. */
function ebur128(file: Buffer): { lufs: number; peak: number } {
  const path = join(folder, 'measured.m4a');
  writeFileSync(path, file);
  const report = ffmpeg('-i', path, '-af', 'ebur128=peak=true', '-f', 'null', '-');
  const summary = report.slice(report.lastIndexOf('Summary:'));
  return {
    lufs: Number(/I:\s+(-?[\d.]+) LUFS/.exec(summary)?.[1]),
    peak: Number(/Peak:\s+(-?[\d.]+) dBFS/.exec(summary)?.[1]),
  };
}

async function soundtrackOf(
  sound: Buffer,
  change: Partial<SoundtrackContent> = {},
): Promise<{ bytes: Buffer; own: Loudness; lufs: number; peak: number }> {
  const format = sniffFormat(sound.subarray(0, SNIFF_BYTES));
  if (!format) throw new Error('the sound is of no known format');
  const content: SoundtrackContent = {
    format: 'mp4',
    seconds: 7,
    narration: [{ sha256: 'sound', startSeconds: 0.5, gainDb: 0 }],
    ducking: true,
    loudnessLufs: -16,
    ...change,
  };
  const read = async () => ({ bytes: sound, demuxer: demuxerOf(format) });
  const { bytes, loudness } = await makeSoundtrack(content, read);
  return { bytes, own: loudness, ...ebur128(bytes) };
}

describe('a soundtrack of any input', () => {
  it.each([
    ['speech.wav', 8_000, 1, ['-c:a', 'pcm_s16le']],
    ['studio.wav', 96_000, 2, ['-c:a', 'pcm_s24le']],
    ['float.wav', 44_100, 6, ['-c:a', 'pcm_f32le']],
    ['song.mp3', 44_100, 2, ['-c:a', 'libmp3lame', '-b:a', '128k']],
    ['voice.mp3', 22_050, 1, ['-c:a', 'libmp3lame', '-b:a', '48k']],
    ['voice.m4a', 48_000, 1, ['-c:a', 'aac', '-b:a', '64k']],
    ['film.m4a', 48_000, 6, ['-c:a', 'aac', '-b:a', '256k']],
    ['vorbis.ogg', 44_100, 2, ['-c:a', 'libvorbis', '-q:a', '3']],
    ['opus.ogg', 48_000, 1, ['-c:a', 'libopus', '-b:a', '32k']],
    ['studio.flac', 96_000, 2, ['-c:a', 'flac']],
    ['old.flac', 16_000, 1, ['-c:a', 'flac']],
  ] as const)(
    '%s, %i Hz, %i channels: at its loudness, its true peak below -1 dBTP',
    async (name, rate, channels, codec) => {
      const { own, lufs, peak } = await soundtrackOf(makeSound(name, rate, channels, [...codec]));
      expect(Math.abs(lufs - -16)).toBeLessThanOrEqual(0.5);
      expect(peak).toBeLessThanOrEqual(-1);
      // The manifest's own meter agrees with ffmpeg's.
      expect(Math.abs((own.integratedLufs ?? 0) - lufs)).toBeLessThanOrEqual(0.2);
      expect(Math.abs(own.truePeakDb - peak)).toBeLessThanOrEqual(0.3);
    },
  );

  it.each([-24, -20, -14])('comes to %i LUFS where that is wanted', async (loudnessLufs) => {
    const sound = makeSound('wanted.flac', 48_000, 2, ['-c:a', 'flac']);
    const { lufs, peak } = await soundtrackOf(sound, { loudnessLufs });
    expect(Math.abs(lufs - loudnessLufs)).toBeLessThanOrEqual(0.5);
    expect(peak).toBeLessThanOrEqual(-1);
  });

  it.each([
    ['a fifth of a second', "aevalsrc='0.3*sin(2*PI*440*t)':s=48000:d=0.2"],
    ['clipped', "aevalsrc='if(gt(random(0)-0.5,0),1,-1)':s=48000:d=5"],
    ['a single loud sample in quiet', "aevalsrc='if(eq(n,48000),1,0.001*sin(2*PI*300*t))':s=48000:d=5"],
  ])('never exceeds -1 dBTP: %s', async (_, source) => {
    const path = join(folder, 'odd.wav');
    ffmpeg('-f', 'lavfi', '-i', source, '-c:a', 'pcm_s16le', path);
    const { peak } = await soundtrackOf(readFileSync(path));
    expect(peak).toBeLessThanOrEqual(-1);
  });

  it('is silent where its inputs are, and does not blow up what hardly can be heard', async () => {
    const path = join(folder, 'quiet.wav');
    ffmpeg('-f', 'lavfi', '-i', 'anullsrc=r=48000:cl=stereo', '-t', '3', path);
    const { own } = await soundtrackOf(readFileSync(path));
    expect(own).toEqual({ integratedLufs: undefined, truePeakDb: Number.NEGATIVE_INFINITY });
    ffmpeg('-f', 'lavfi', '-i', "aevalsrc='0.0005*sin(2*PI*440*t)':s=48000:d=5", path);
    const { lufs } = await soundtrackOf(readFileSync(path));
    expect(lufs).toBeLessThan(-35);
    expect(lufs).toBeGreaterThan(-60);
  });

  it('repeats music to the end, gives way to the voice, and fades out', async () => {
    const music = makeSound('music.flac', 48_000, 2, ['-c:a', 'flac']);
    const { bytes } = await soundtrackOf(music, {
      seconds: 20,
      narration: [],
      music: { sha256: 'sound', gainDb: 0, loop: true },
    });
    const path = join(folder, 'looped.m4a');
    writeFileSync(path, bytes);
    const loudness = (from: number, seconds: number): number => {
      const report = ffmpeg(
        '-ss',
        String(from),
        '-t',
        String(seconds),
        '-i',
        path,
        '-af',
        'volumedetect',
        '-f',
        'null',
        '-',
      );
      return Number(/mean_volume: (-?[\d.]+) dB/.exec(report)?.[1]);
    };
    expect(loudness(12.5, 4)).toBeGreaterThan(-30);
    expect(loudness(19.7, 0.3)).toBeLessThan(loudness(12.5, 4) - 12);
  });

  it('plays the sound of a video where its pictures are, also where it begins later than they do', async () => {
    const path = join(folder, 'late.mp4');
    ffmpeg(
      ...['-f', 'lavfi', '-i', 'testsrc=s=64x64:d=3', '-itsoffset', '0.8', '-f', 'lavfi', '-i', 'sine=d=2'],
      ...['-map', '0:v', '-map', '1:a', '-c:v', 'libx264', '-c:a', 'aac', path],
    );
    const { bytes } = await soundtrackOf(readFileSync(path), {
      seconds: 5,
      narration: [],
      videos: [{ sha256: 'sound', startSeconds: 1, seconds: 3, fadeSeconds: 0.5, gainDb: 0 }],
    });
    const spoken = join(folder, 'late-track.m4a');
    writeFileSync(spoken, bytes);
    const report = ffmpeg('-i', spoken, '-af', 'silencedetect=n=-50dB:d=0.3', '-f', 'null', '-');
    const [, end] = /silence_end: ([\d.]+)/.exec(report) ?? [];
    expect(Number(end)).toBeCloseTo(1.8, 1);
  });

  it('lets music give way to the sound of a video, and the video to a narration', async () => {
    const sound = makeSound('layers.flac', 48_000, 2, ['-c:a', 'flac']);
    const level = async (change: Partial<SoundtrackContent>, from: number): Promise<number> => {
      const { bytes } = await soundtrackOf(sound, { seconds: 12, narration: [], ...change });
      const path = join(folder, 'layers.m4a');
      writeFileSync(path, bytes);
      const args = ['-ss', String(from), '-t', '2', '-i', path, '-af', 'volumedetect', '-f', 'null', '-'];
      return Number(/mean_volume: (-?[\d.]+) dB/.exec(ffmpeg(...args))?.[1]);
    };
    const music = { sha256: 'sound', gainDb: 0, loop: true };
    // What makes room is itself too soft to be heard here: what is measured is what lies below it.
    const soft = { sha256: 'sound', startSeconds: 6, gainDb: -60 };
    const drop = async (change: Partial<SoundtrackContent>): Promise<number> =>
      (await level(change, 8)) - (await level(change, 2.6));
    const videos = [{ ...soft, seconds: 6, fadeSeconds: 0 }];
    const film = [{ sha256: 'sound', startSeconds: 0, seconds: 6, fadeSeconds: 0, gainDb: 0 }];
    const films = [...film, { ...film[0], startSeconds: 6 }] as typeof film;
    expect(await drop({ music, videos })).toBeLessThan(-8);
    expect(await drop({ music, videos, ducking: false })).toBeGreaterThan(-3);
    expect(await drop({ videos: films, narration: [soft] })).toBeLessThan(-8);
    expect(await drop({ videos: films, narration: [soft], ducking: false })).toBeGreaterThan(-3);
  });
});
