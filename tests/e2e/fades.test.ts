/** Fades are put together by hand: Chromium shows them through Media Source Extensions as FFmpeg decodes them. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { VideoSettings } from '../../src/media/codecs.ts';
import { quietFfmpeg } from '../../src/media/ffmpeg.ts';
import { readPictures } from '../../src/media/h264/stills.ts';
import { fragment, initSegment } from '../../src/media/mp4/fragments.ts';
import { avcCodec, avcConfiguration, type VideoTrack } from '../../src/media/mp4/track.ts';
import type { YuvPicture } from '../../src/media/picture/frame.ts';
import { encodeFrames } from '../../src/media/video/video.ts';
import {
  type Run,
  runOfStills,
  type StillPair,
  samplesOf,
  withFade,
  withRepeats,
} from '../../src/render/segments/run.ts';
import { launchChromium } from '../support/chromium.ts';
import { decodeVideo } from '../support/decodeVideo.ts';

const VIDEO: VideoSettings = { format: 'mp4', width: 320, height: 180, fps: 30 };
const [HELD, FADE] = [30, 15];

let server: Server;
let browser: Browser;
let page: Page;
let from: StillPair;
let to: StillPair;

beforeAll(async () => {
  quietFfmpeg();
  [from, to] = await Promise.all([pairOf(60, 200), pairOf(140, 90)]);
  server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><video muted></video>');
  }).listen(0, '127.0.0.1');
  browser = await launchChromium();
  page = await browser.newPage();
});

beforeEach(async () => {
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});

afterAll(async () => {
  await browser?.close();
  server?.close();
});

/** A grey picture with a box where words would be, and the same without it. */
async function pairOf(grey: number, box: number): Promise<StillPair> {
  const { width, height } = VIDEO;
  const paint = (isWordless: boolean): YuvPicture => {
    const data = Buffer.alloc((width * height * 3) / 2, 128);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const isBox = !isWordless && x > 40 && x < 200 && y > 100 && y < 150;
        data[y * width + x] = isBox ? box : grey + (x >> 4);
      }
    }
    return { width, height, data };
  };
  const { parameters, frames } = await encodeFrames([paint(false), paint(true)], VIDEO);
  return readPictures(Buffer.concat([parameters, ...frames])) as unknown as StillPair;
}

function trackOf({ sets }: Run): VideoTrack {
  const { width, height, fps } = VIDEO;
  return { kind: 'video', timescale: fps, width, height, avcC: avcConfiguration(sets.sps, sets.pps) };
}

/** Gives Chromium the runs as segments of a stream of which more may come; waits until it shows the first picture. */
async function open(...runs: Run[]): Promise<Buffer> {
  const track = trackOf(runs[0] as Run);
  let time = 0;
  const segments = runs.map((run) => {
    const segment = fragment(samplesOf(run), time);
    time += run.frames;
    return segment;
  });
  const file = Buffer.concat([initSegment(track), ...segments]);
  await page.evaluate(
    async ({ codec, base64 }) => {
      const video = document.querySelector('video');
      if (!video) throw new Error('no video');
      const source = new MediaSource();
      video.src = URL.createObjectURL(source);
      const shown = new Promise((resolve) => video.addEventListener('loadeddata', resolve, { once: true }));
      await new Promise((resolve) => source.addEventListener('sourceopen', resolve, { once: true }));
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      source.addSourceBuffer(`video/mp4; codecs="${codec}"`).appendBuffer(bytes);
      await shown;
    },
    { codec: avcCodec(track), base64: file.toString('base64') },
  );
  return file;
}

const seekTo = (frame: number): Promise<void> =>
  page.evaluate(
    async (time) => {
      const video = document.querySelector('video');
      if (!video) throw new Error('no video');
      const seeked = new Promise((resolve) => video.addEventListener('seeked', resolve, { once: true }));
      video.currentTime = time;
      await seeked;
    },
    (frame + 0.5) / VIDEO.fps,
  );

/** The brightness in four places of what Chromium shows: beside the box, in it, and so at the right. */
const shown = (): Promise<number[]> =>
  page.evaluate(async () => {
    const video = document.querySelector('video');
    if (!video) throw new Error('no video');
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [320, 180];
    const context = canvas.getContext('2d');
    context?.drawImage(video, 0, 0);
    return [
      [20, 50],
      [120, 125],
      [180, 110],
      [300, 125],
    ].map(([x = 0, y = 0]) => context?.getImageData(x, y, 1, 1).data[1] ?? 0);
  });

const furthest = (some: readonly number[], others: readonly number[]): number =>
  Math.max(...some.map((level, i) => Math.abs(level - (others[i] ?? 0))));

describe('in Chromium', () => {
  it('each frame of a fade is the one that FFmpeg decodes', async () => {
    const held = runOfStills([from[0]], [HELD]);
    const file = await open(
      withFade(held, from[1], to, FADE),
      withFade(runOfStills([to[0]], [HELD]), to[1], from, FADE),
    );
    const decoded = await decodeVideo(file);
    const start = decoded[0]?.pts ?? 0;
    for (let frame = HELD - 1; frame <= HELD + FADE; frame++) {
      const { data } = decoded.findLast(({ pts }) => pts - start <= frame) ?? { data: Buffer.alloc(0) };
      const levels = [50 * 320 + 20, 125 * 320 + 120, 110 * 320 + 180, 125 * 320 + 300].map((at) =>
        Math.round((((data[at] as number) - 16) * 255) / 219),
      );
      await seekTo(frame);
      // A busy browser may draw the frame a moment after it has said that it is there.
      await expect
        .poll(async () => furthest(await shown(), levels), { message: `frame ${frame}`, timeout: 3000 })
        .toBeLessThan(4);
    }
  });

  it('its pictures follow each other in order while it plays', async () => {
    const held = runOfStills([from[0]], [HELD]);
    await open(withFade(held, from[1], to, FADE), withRepeats(runOfStills([to[0]], [HELD])));
    const times = await page.evaluate(
      async ({ start, end }) => {
        const video = document.querySelector('video');
        if (!video) throw new Error('no video');
        const seen: number[] = [];
        video.currentTime = start;
        video.playbackRate = 0.25;
        await new Promise<void>((resolve) => {
          const next = (_: number, { mediaTime }: { mediaTime: number }): void => {
            seen.push(mediaTime);
            if (mediaTime >= end) resolve();
            else video.requestVideoFrameCallback(next);
          };
          video.requestVideoFrameCallback(next);
          void video.play();
        });
        return seen;
      },
      { start: (HELD - 2) / VIDEO.fps, end: (HELD + FADE) / VIDEO.fps },
    );
    const frames = times.map((time) => Math.round(time * VIDEO.fps));
    expect(frames).toEqual([...frames].sort((a, b) => a - b));
    // A busy machine may leave one out.
    expect(new Set(frames).size).toBeGreaterThan(FADE / 2);
  });

  it('a still is shown while its segment is all that there is', { timeout: 15_000 }, async () => {
    await open(withRepeats(runOfStills([from[0]], [HELD])));
    await seekTo(HELD / 2);
    await expect
      .poll(async () => Math.abs(((await shown())[0] ?? 0) - ((61 - 16) * 255) / 219), { timeout: 3000 })
      .toBeLessThan(4);
  });
});
