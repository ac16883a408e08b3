import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../support/chromium.ts';

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

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'preview-e2e-'));
  const render = spawnSync(
    process.execPath,
    ['dist/cli.js', 'render', 'examples/pour-over-coffee/job.json', '--out', join(folder, 'out')],
    { env: { PATH: process.env.PATH, DATA_DIR: join(folder, 'data') }, encoding: 'utf8' },
  );
  expect(render.stderr).toBe('');
  expect(render.status).toBe(0);
  manifest = JSON.parse(readFileSync(join(folder, 'out', 'manifest.json'), 'utf8')) as Manifest;

  const video = join(folder, 'out', 'preview.mp4');
  server = createServer((request, response) => {
    if (request.url !== '/preview.mp4')
      return response.setHeader('content-type', 'text/html').end('<video src="/preview.mp4"></video>');
    const { size } = statSync(video);
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(request.headers.range ? 206 : 200, {
      'content-type': 'video/mp4',
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
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});

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
