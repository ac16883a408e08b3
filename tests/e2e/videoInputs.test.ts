import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demuxerOf, SNIFF_BYTES, sniffFormat } from '../../src/assets/sniff.ts';
import { quietFfmpeg } from '../../src/media/ffmpeg.ts';
import { yuvToRgb } from '../../src/media/picture/convert.ts';
import type { YuvPicture } from '../../src/media/picture/frame.ts';
import { probeClip, readClip } from '../../src/media/video/clip.ts';

const [WIDTH, HEIGHT] = [160, 90];
let folder: string;

beforeAll(() => {
  quietFfmpeg();
  folder = mkdtempSync(join(tmpdir(), 'preview-video-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function ffmpeg(name: string, ...args: string[]): Buffer {
  const path = join(folder, name);
  const { status, stderr } = spawnSync('ffmpeg', ['-y', '-v', 'error', ...args, path], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return readFileSync(path);
}

async function pictures(bytes: Buffer, fps = 10): Promise<YuvPicture[]> {
  const format = sniffFormat(bytes.subarray(0, SNIFF_BYTES));
  if (!format) throw new Error('the video is of no known format');
  const found: YuvPicture[] = [];
  for await (const picture of readClip(bytes, demuxerOf(format), { width: WIDTH, height: HEIGHT, fps })) {
    found.push(picture);
  }
  return found;
}

/** The colour in the middle of a picture. */
async function middle(picture: YuvPicture): Promise<number[]> {
  const { data } = await yuvToRgb(picture, WIDTH, HEIGHT);
  const at = ((HEIGHT / 2) * WIDTH + WIDTH / 2) * 3;
  return [...data.subarray(at, at + 3)];
}

/** Two seconds of one colour, tagged as what it is. */
const colour = (rgb: string, rate = 25, size = '320x180'): string[] => [
  ...['-f', 'lavfi', '-i', `color=c=${rgb}:s=${size}:r=${rate}:d=2`],
  ...['-vf', 'scale=out_color_matrix=bt709:out_range=tv,format=yuv420p'],
  ...['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709', '-color_range', 'tv'],
];

describe('a video of any kind', () => {
  it.each([
    ['h264.mp4', ['-c:v', 'libx264', '-preset', 'ultrafast']],
    [
      'hevc.mp4',
      ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error', '-tag:v', 'hvc1'],
    ],
    ['av1.mp4', ['-c:v', 'libsvtav1', '-preset', '12']],
    ['vp9.webm', ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8']],
    ['av1.webm', ['-c:v', 'libsvtav1', '-preset', '12']],
    ['tenbit.mp4', ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p10le']],
    ['whole-chroma.mp4', ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv444p']],
  ] as const)('is shown at its length and in its colours: %s', async (name, codec) => {
    const bytes = ffmpeg(name, ...colour('0xc83c32'), ...codec);
    const shown = await pictures(bytes);
    expect(Math.abs(shown.length - 20)).toBeLessThanOrEqual(1);
    const found = await middle(shown[10] as YuvPicture);
    [200, 60, 50].forEach((value, i) => {
      expect(Math.abs((found[i] ?? 0) - value)).toBeLessThanOrEqual(6);
    });
  });

  // VP8 knows no other matrix (RFC 6386, 9.2).
  it.each([
    ['sd.mp4', ['-c:v', 'libx264', '-preset', 'ultrafast']],
    ['vp8.webm', ['-c:v', 'libvpx', '-deadline', 'realtime', '-b:v', '1M']],
  ] as const)('of the old matrix, BT.601, is converted: %s', async (name, codec) => {
    const bytes = ffmpeg(
      name,
      ...['-f', 'lavfi', '-i', 'color=c=0xc83c32:s=320x180:r=25:d=1'],
      ...['-vf', 'scale=out_color_matrix=bt601:out_range=tv,format=yuv420p', '-colorspace', 'smpte170m'],
      ...codec,
    );
    const found = await middle((await pictures(bytes))[3] as YuvPicture);
    [200, 60, 50].forEach((value, i) => {
      expect(Math.abs((found[i] ?? 0) - value)).toBeLessThanOrEqual(6);
    });
  });

  it('with a frame rate that changes keeps its times', async () => {
    // Black for a second at 30 a second, then white at 5 a second.
    const bytes = ffmpeg(
      'vfr.mp4',
      ...[
        '-f',
        'lavfi',
        '-i',
        'color=c=black:s=320x180:r=30:d=1',
        '-f',
        'lavfi',
        '-i',
        'color=c=white:s=320x180:r=5:d=2',
      ],
      ...['-filter_complex', '[0]settb=1/30[a];[1]settb=1/30[b];[a][b]concat=n=2', '-fps_mode', 'vfr'],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'],
    );
    const shown = await pictures(bytes);
    expect(Math.abs(shown.length - 30)).toBeLessThanOrEqual(2);
    const turn = shown.findIndex(({ data }) => (data[0] ?? 0) > 128);
    expect(Math.abs(turn - 10)).toBeLessThanOrEqual(1);
  });

  it.each([
    ['PQ', 'smpte2084', 572],
    ['HLG', 'arib-std-b67', 721],
  ] as const)('in HDR (%s) has its white where white is', async (_, transfer, white) => {
    const bytes = ffmpeg(
      `${transfer}.mp4`,
      ...[
        '-f',
        'lavfi',
        '-i',
        'color=c=gray:s=320x180:r=10:d=1',
        '-vf',
        `format=yuv420p10le,lutyuv=y=${white}:u=512:v=512`,
      ],
      ...['-c:v', 'libx265', '-preset', 'ultrafast', '-tag:v', 'hvc1'],
      '-x265-params',
      `log-level=error:colorprim=bt2020:transfer=${transfer}:colormatrix=bt2020nc:range=limited`,
    );
    const [red = 0, green = 0, blue = 0] = await middle((await pictures(bytes))[3] as YuvPicture);
    // As BT.709 it would be a grey of 148 (PQ) and 191 (HLG).
    expect(Math.min(red, green, blue)).toBeGreaterThan(205);
    expect(Math.max(red, green, blue) - Math.min(red, green, blue)).toBeLessThanOrEqual(4);
  });

  it('says whether it has a sound', async () => {
    const silent = ffmpeg('silent.mp4', ...colour('gray'), '-c:v', 'libx264', '-preset', 'ultrafast');
    const loud = ffmpeg(
      'loud.mp4',
      ...['-f', 'lavfi', '-i', 'sine=d=1', '-f', 'lavfi', '-i', 'color=c=gray:s=320x180:d=1'],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac'],
    );
    expect(await probeClip(silent, 'mov')).toMatchObject({ hasSound: false });
    expect(await probeClip(loud, 'mov')).toMatchObject({ hasSound: true });
  });
});
