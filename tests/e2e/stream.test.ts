import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { type Service, smallJob, startService } from '../support/service.ts';

const HLS = readFileSync(createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js'), 'utf8');
const EXAMPLE = 'examples/pour-over-coffee';

let service: Service;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  service = await startService();
  browser = await launchChromium();
  page = await browser.newPage();
  // A page of the service's own origin; everything else that it asks for goes to the real service.
  await page.route('**/player.html', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: '<!doctype html><video muted width="640" height="360"></video><script src="/hls.min.js"></script>',
    }),
  );
  await page.route('**/hls.min.js', (route) => route.fulfill({ contentType: 'text/javascript', body: HLS }));
});

beforeEach(async () => {
  await page.goto(`${service.url}/player.html`);
});

afterAll(async () => {
  await browser?.close();
  await service?.stop();
});

/** A storyboard that takes seconds to render: every transition has to be encoded, at a large size. */
async function slowJob(jobId: string, steps: number) {
  const upload = async (path: string): Promise<string> =>
    String((await service.upload(readFileSync(`${EXAMPLE}/${path}`))).body.sha256);
  const [photo, music] = await Promise.all([upload('pictures/01-weigh.jpg'), upload('music/bed.m4a')]);
  return smallJob(jobId, {
    steps: Array.from({ length: steps }, (_, i) => ({
      title: `Step ${i + 1}`,
      asset: 'photo',
      durationSeconds: 1,
      transition: { type: i % 2 === 0 ? ('wipe' as const) : ('fade' as const), durationSeconds: 0.5 },
    })),
    assets: [
      { id: 'photo', type: 'image', upload: photo },
      { id: 'music', type: 'audio', upload: music },
    ],
    audio: { music: { asset: 'music' } },
    options: { resolution: '1920x1080' },
  });
}

/** Plays a stream with hls.js at four times the speed; answers what happened when. */
function play(path: string) {
  return page.evaluate(async (url) => {
    // biome-ignore lint/suspicious/noExplicitAny: a global of the page
    const { Hls } = window as any;
    const video = document.querySelector('video');
    if (!video) throw new Error('no video');
    const hls = new Hls();
    const errors: string[] = [];
    hls.on(Hls.Events.ERROR, (_: string, { details, fatal }: { details: string; fatal: boolean }) => {
      if (fatal) errors.push(details);
    });
    hls.loadSource(url);
    hls.attachMedia(video);
    video.playbackRate = 4;
    await video.play();
    await new Promise<void>((resolve) => {
      if (video.currentTime > 0.1) resolve();
      video.ontimeupdate = () => video.currentTime > 0.1 && resolve();
    });
    const startedAt = Date.now();
    await new Promise((resolve) => video.addEventListener('ended', resolve, { once: true }));
    const played = { startedAt, end: video.currentTime, duration: video.duration, errors };
    hls.destroy();
    return played;
  }, path);
}

describe('the stream', () => {
  it('plays in Chromium before the job has finished, and reaches the end', async () => {
    const job = await slowJob('stream', 24);
    const { body } = await service.post('/api/preview/job', job);
    const { stream } = body.links as { stream: string };
    const [played, ended] = await Promise.all([play(stream), service.ended('stream')]);
    expect(played.errors).toEqual([]);
    expect(ended.status).toBe('completed');
    const finishedAt = Date.parse(String(ended.finishedAt));
    expect(played.startedAt).toBeLessThan(finishedAt);
    const { body: manifest } = await service.get('/api/preview/job/stream/artifact?name=manifest.json');
    const { durationSeconds } = (await (await fetch(service.url + manifest.url)).json()) as {
      durationSeconds: number;
    };
    expect(Math.abs(played.end - durationSeconds)).toBeLessThan(0.15);
  });

  it('plays from the start again when the job is long finished, from the same addresses', async () => {
    const playlist = async (): Promise<string> =>
      String((await service.get('/api/preview/job/stream/stream/video.m3u8')).body.text);
    const [first, second] = [await playlist(), await playlist()];
    expect(first).toContain('#EXT-X-ENDLIST');
    expect(second).toBe(first);
    expect((await play('/api/preview/job/stream/stream.m3u8')).errors).toEqual([]);
  });

  it('seeks to the middle of every step', async () => {
    const shown = await page.evaluate(async () => {
      // biome-ignore lint/suspicious/noExplicitAny: a global of the page
      const { Hls } = window as any;
      const video = document.querySelector('video');
      if (!video) throw new Error('no video');
      const hls = new Hls();
      hls.loadSource('/api/preview/job/stream/stream.m3u8');
      hls.attachMedia(video);
      await new Promise((resolve) => video.addEventListener('loadeddata', resolve, { once: true }));
      const pictures = new Set<string>();
      for (let step = 0; step < 24; step++) {
        const seeked = new Promise((resolve) => video.addEventListener('seeked', resolve, { once: true }));
        video.currentTime = 3 + step + 0.25;
        await seeked;
        const canvas = document.createElement('canvas');
        canvas.width = 320;
        canvas.height = 180;
        canvas.getContext('2d')?.drawImage(video, 0, 0, 320, 180);
        pictures.add(canvas.toDataURL());
      }
      hls.destroy();
      return pictures.size;
    });
    expect(shown).toBe(24);
  });

  it('waits with a playlist until a segment that was asked for is there, and says that it can', async () => {
    await service.post('/api/preview/job', await slowJob('blocking', 16));
    const url = '/api/preview/job/blocking/stream/video.m3u8';
    const lengths = async (query: string): Promise<{ count: number; text: string }> => {
      const text = String((await service.get(url + query)).body.text);
      return { count: text.match(/#EXTINF/g)?.length ?? 0, text };
    };
    const first = await lengths('');
    if (!first.text.includes('#EXT-X-ENDLIST')) expect(first.text).toContain('CAN-BLOCK-RELOAD=YES');
    expect((await lengths('?_HLS_msn=9')).count).toBeGreaterThan(9);
    const last = await lengths('?_HLS_msn=400');
    expect(last.count).toBe(17);
    expect(last.text).toContain('#EXT-X-ENDLIST');
    expect(last.text).not.toContain('CAN-BLOCK-RELOAD');
    expect((await service.get(`${url}?_HLS_msn=soon`)).status).toBe(400);
  });

  it('closes the playlists of a job that was cancelled, with what there is', async () => {
    await service.post('/api/preview/job', await slowJob('cancelled', 40));
    await service.get('/api/preview/job/cancelled/stream/video.m3u8');
    await service.cancel('/api/preview/job/cancelled');
    await service.ended('cancelled');
    const { body } = await service.get('/api/preview/job/cancelled/stream/video.m3u8');
    expect(String(body.text)).toContain('#EXT-X-ENDLIST');
  });

  it('says that a job without a stream has none', async () => {
    await service.post('/api/preview/job', smallJob('dry', {}, { dryRun: true }));
    const { status, body } = await service.get('/api/preview/job/dry/stream.m3u8');
    expect(status).toBe(409);
    expect(body.code).toBe('no_stream');
  });
});
