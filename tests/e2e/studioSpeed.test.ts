import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { type Service, startService } from '../support/service.ts';
import { importJob, upToDate } from '../support/studio.ts';

const STEPS = 20;
const EDITS = 9;
/**
 * From the pause in typing to the changed picture, on two cores that do nothing else, the goal is 0.7 s, and 0.65 to 0.77
 * were measured. What is reached is printed; a machine that does other things beside it is given some more.
 */
const MOST_SECONDS = 1;

let service: Service;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  service = await startService();
  browser = await launchChromium();
  page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
});

afterAll(async () => {
  await browser?.close();
  await service?.stop();
});

/** Twenty steps with photographs, words and music. Their length goes by their words, so each edit moves what follows. */
async function storyboard() {
  const folder = 'examples/pour-over-coffee';
  const names = ['01-weigh', '02-rinse', '03-bloom', '04-first-pour', '05-spiral', '06-drawdown', '07-serve'];
  const upload = async (path: string): Promise<string> =>
    String((await service.upload(readFileSync(`${folder}/${path}`))).body.sha256);
  const photos = await Promise.all(names.map((name) => upload(`pictures/${name}.jpg`)));
  return {
    previewRequest: {
      title: 'Twenty steps',
      steps: Array.from({ length: STEPS }, (_, i) => ({
        title: `Step number ${i + 1}`,
        text: 'A scale matters more than a costly grinder, and time more than both.',
        asset: names[i % names.length],
      })),
      assets: [
        ...names.map((id, i) => ({ id, type: 'image', upload: photos[i] })),
        { id: 'bed', type: 'audio', upload: await upload('music/bed.m4a') },
      ],
      audio: { music: { asset: 'bed', gainDb: -12 } },
    },
  };
}

/** Types into a field, and answers the milliseconds from the last key, and from the pause, to another picture. */
function edit(id: string, words: string): Promise<{ fromKey: number; fromPause: number }> {
  return page.evaluate(
    ([field, text]) =>
      new Promise((resolve) => {
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [320, 180];
        const context = canvas.getContext('2d', { willReadFrequently: true });
        const look = (): Uint8ClampedArray | undefined => {
          const video = document.querySelector<HTMLVideoElement>('video.front');
          if (!context || !video || video.readyState < 2) return undefined;
          context.drawImage(video, 0, 0, 320, 180);
          return context.getImageData(0, 0, 320, 180).data;
        };
        const before = look();
        const input = document.getElementById(field as string) as HTMLInputElement;
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(input, text);
        input.dispatchEvent(new InputEvent('input', { bubbles: true }));
        const key = performance.now();
        const watch = (): void => {
          const now = look();
          let different = 0;
          for (let i = 0; now && before && i < now.length; i += 4) {
            if (Math.abs((now[i] ?? 0) - (before[i] ?? 0)) > 24) different++;
          }
          if (different < 100) {
            requestAnimationFrame(watch);
            return;
          }
          const seen = performance.now();
          const posts = performance
            .getEntriesByType('resource')
            .filter(({ name, startTime }) => name.endsWith('/api/preview/job') && startTime > key);
          resolve({ fromKey: seen - key, fromPause: seen - (posts[0]?.startTime ?? key) });
        };
        requestAnimationFrame(watch);
      }),
    [id, words],
  );
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

it('says how soon a changed word of a storyboard of twenty steps is seen', async () => {
  await page.goto(service.url);
  await upToDate(page);
  await importJob(page, await storyboard());
  await page.getByLabel('Step 20, title').waitFor();
  await upToDate(page);
  const taken: { fromKey: number; fromPause: number }[] = [];
  for (let i = 0; i < EDITS; i++) {
    const field = page.getByLabel(`Step ${2 + i * 2}, title`);
    await field.click();
    await upToDate(page);
    const id = (await field.getAttribute('id')) ?? '';
    taken.push(await edit(id, `Other words ${'for this step'.slice(0, 4 + i)}`));
    await upToDate(page);
  }
  const seconds = (values: number[]): string => (median(values) / 1000).toFixed(2);
  const pauses = taken.map(({ fromPause }) => fromPause);
  process.stdout.write(
    `changed picture: median ${seconds(pauses)} s after the pause, ${seconds(taken.map(({ fromKey }) => fromKey))} s after the last key; ` +
      `each after the pause: ${pauses.map((ms) => (ms / 1000).toFixed(2)).join(' ')}\n`,
  );
  expect(median(pauses) / 1000).toBeLessThanOrEqual(MOST_SECONDS);
});
