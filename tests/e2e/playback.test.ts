import { spawnSync } from 'node:child_process';
import {
  createReadStream,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { smallJob } from '../support/service.ts';

interface Manifest {
  durationSeconds: number;
  steps: { id: string; startSeconds: number; endSeconds: number }[];
  audio: { integratedLufs: number; truePeakDb: number };
}

let folder: string;
let manifest: Manifest;
let server: Server;
let browser: Browser;
let page: Page;

/** Renders a job with the built command; answers its manifest. */
function render(job: string, name: string): Manifest {
  const out = join(folder, name);
  const { status, stderr } = spawnSync(process.execPath, ['dist/cli.js', 'render', job, '--out', out], {
    env: { PATH: process.env.PATH, DATA_DIR: join(folder, 'data') },
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')) as Manifest;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'preview-e2e-'));
  manifest = render('examples/pour-over-coffee/job.json', 'out');
  // A file by its path, with ranges; every other path is a page that plays the file that its query names.
  server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    if (!/\.(mp4|webm)$/.test(pathname))
      return response
        .setHeader('content-type', 'text/html')
        .end(`<video src="${searchParams.get('file')}"></video>`);
    const video = join(folder, pathname);
    const { size } = statSync(video);
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(request.headers.range ? 206 : 200, {
      'content-type': pathname.endsWith('webm') ? 'video/webm' : 'video/mp4',
      'accept-ranges': 'bytes',
      'content-length': size - start,
      ...(request.headers.range ? { 'content-range': `bytes ${start}-${size - 1}/${size}` } : {}),
    });
    return createReadStream(video, { start })
      .on('error', () => response.destroy())
      .pipe(response);
  }).listen(0, '127.0.0.1');
  browser = await launchChromium();
  page = await browser.newPage();
  await page.goto(playerOf('/out/preview.mp4'));
});

const playerOf = (file: string): string =>
  `http://127.0.0.1:${(server.address() as AddressInfo).port}/?file=${file}`;

afterAll(async () => {
  await browser?.close();
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the finished video', () => {
  it('is H.264 and AAC as promised, with its index first and the length of the manifest', () => {
    const probe = spawnSync(
      'ffprobe',
      ['-v', 'error', '-show_streams', '-show_format', '-of', 'json', join(folder, 'out', 'preview.mp4')],
      { encoding: 'utf8' },
    );
    const { streams, format } = JSON.parse(probe.stdout) as {
      streams: Record<string, unknown>[];
      format: { duration: string };
    };
    expect(streams[0]).toMatchObject({ codec_name: 'h264', width: 1280, height: 720, pix_fmt: 'yuv420p' });
    expect(streams[1]).toMatchObject({ codec_name: 'aac', channels: 2, sample_rate: '48000' });
    expect(Math.abs(Number(format.duration) - manifest.durationSeconds)).toBeLessThanOrEqual(1 / 30 + 0.001);
    const bytes = readFileSync(join(folder, 'out', 'preview.mp4'));
    expect(bytes.indexOf('moov')).toBeLessThan(bytes.indexOf('mdat'));
  });

  it('decodes without a complaint', () => {
    const { stderr } = spawnSync(
      'ffmpeg',
      ['-v', 'error', '-i', join(folder, 'out', 'preview.mp4'), '-f', 'null', '-'],
      { encoding: 'utf8' },
    );
    expect(stderr).toBe('');
  });

  it('sounds as loud as its manifest says, by ffmpeg', () => {
    const { stderr } = spawnSync(
      'ffmpeg',
      ['-nostats', '-i', join(folder, 'out', 'preview.mp4'), '-af', 'ebur128=peak=true', '-f', 'null', '-'],
      { encoding: 'utf8' },
    );
    const summary = stderr.slice(stderr.lastIndexOf('Summary:'));
    expect(Number(/I:\s+(-?[\d.]+) LUFS/.exec(summary)?.[1])).toBeCloseTo(manifest.audio.integratedLufs, 0);
    expect(Number(/Peak:\s+(-?[\d.]+) dBFS/.exec(summary)?.[1])).toBeLessThanOrEqual(-1);
  });

  it('plays in Chromium and seeks to the middle of every step, where each shows another picture', async () => {
    expect(existsSync('/usr/bin/chromium')).toBe(true);
    await page.waitForFunction(() => (document.querySelector('video')?.readyState ?? 0) >= 2);
    const pictures = new Set<string>();
    for (const { startSeconds, endSeconds } of manifest.steps) {
      const middle = (startSeconds + endSeconds) / 2;
      const shown = await page.evaluate(async (time) => {
        const video = document.querySelector('video');
        if (!video) throw new Error('no video');
        video.currentTime = time;
        await new Promise((resolve) => video.addEventListener('seeked', resolve, { once: true }));
        const canvas = document.createElement('canvas');
        canvas.width = 320;
        canvas.height = 180;
        canvas.getContext('2d')?.drawImage(video, 0, 0, 320, 180);
        return { at: video.currentTime, picture: canvas.toDataURL() };
      }, middle);
      expect(shown.at).toBeCloseTo(middle, 2);
      pictures.add(shown.picture);
    }
    expect(pictures.size).toBe(manifest.steps.length);
    const played = await page.evaluate(async () => {
      const video = document.querySelector('video');
      if (!video) throw new Error('no video');
      video.muted = true;
      video.currentTime = 0;
      await video.play();
      await new Promise((resolve) => {
        video.ontimeupdate = () => video.currentTime > 1 && resolve(undefined);
      });
      return video.currentTime;
    });
    expect(played).toBeGreaterThan(1);
  });
});

describe.each(['mp4', 'webm'] as const)('a silent preview as %s that ends with a still', (format) => {
  it('lasts as long as its manifest says, and shows the still until then', async () => {
    const job = join(folder, `${format}.json`);
    const steps = [
      { title: 'First', durationSeconds: 1 },
      { title: 'Last', durationSeconds: 3 },
    ];
    const options = { resolution: '320x180', fps: 10, format, outputs: ['video' as const] };
    writeFileSync(job, JSON.stringify(smallJob('stills', { title: undefined, steps, options })));
    const { durationSeconds } = render(job, format);
    const player = await browser.newPage();
    await player.goto(playerOf(`/${format}/preview.${format}`));
    await player.waitForFunction(() => (document.querySelector('video')?.readyState ?? 0) >= 2);
    const played = await player.evaluate(async () => {
      const video = document.querySelector('video');
      if (!video) throw new Error('no video');
      const shownAt = async (time: number): Promise<string> => {
        video.currentTime = time;
        await new Promise((resolve) => video.addEventListener('seeked', resolve, { once: true }));
        const canvas = document.createElement('canvas');
        canvas.getContext('2d')?.drawImage(video, 0, 0, canvas.width, canvas.height);
        return canvas.toDataURL();
      };
      const pictures = [await shownAt(0.2), await shownAt(1.5), await shownAt(3.9)];
      await shownAt(2.5);
      video.muted = true;
      video.playbackRate = 4;
      await video.play();
      await new Promise((resolve) => video.addEventListener('ended', resolve, { once: true }));
      return { pictures, duration: video.duration, end: video.currentTime };
    });
    expect(Math.abs(played.duration - durationSeconds)).toBeLessThanOrEqual(0.1);
    expect(Math.abs(played.end - durationSeconds)).toBeLessThanOrEqual(0.1);
    expect(played.pictures[2]).toBe(played.pictures[1]);
    expect(played.pictures[1]).not.toBe(played.pictures[0]);
    await player.close();
  });
});
