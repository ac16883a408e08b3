import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { eventually } from './eventually.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The pixels of what the player shows, small; undefined before there is a picture. */
export const pictureOf = (page: Page): Promise<number[] | undefined> =>
  page.evaluate(() => {
    const video = document.querySelector<HTMLVideoElement>('video.front');
    if (!video || video.readyState < 2 || video.seeking) return undefined;
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [160, 90];
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context?.drawImage(video, 0, 0, 160, 90);
    return [...(context?.getImageData(0, 0, 160, 90).data ?? [])];
  });

/** How many of the pixels of two pictures differ for the eye, from 0 to 1. */
export function difference(one: readonly number[], other: readonly number[]): number {
  let different = 0;
  for (let i = 0; i < one.length; i += 4) {
    const away = Math.max(...[0, 1, 2].map((c) => Math.abs((one[i + c] ?? 0) - (other[i + c] ?? 0))));
    if (away > 24) different++;
  }
  return different / (one.length / 4);
}

/** Waits until the preview shows what was written last, whole, and stands still. */
export async function upToDate(page: Page): Promise<void> {
  await page.locator('[data-phase=ready][data-shown=whole]').waitFor();
  let last: number[] | undefined;
  await eventually(async () => {
    const now = await pictureOf(page);
    const isStill = now && last && difference(last, now) === 0;
    last = now;
    return isStill || undefined;
  }, 'a picture');
}

/** Waits until the player shows another picture than `before`. */
export const changed = (page: Page, before: readonly number[]): Promise<number[]> =>
  eventually(async () => {
    const now = await pictureOf(page);
    return now && difference(before, now) > 0.002 ? now : undefined;
  }, 'another picture');

/** Fails where the page complained, or asked somebody else for something. */
export function watchPage(page: Page, origin: string): { check(): void } {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // Refused inputs are what the tests are about.
    if (message.type() === 'error' && !message.text().includes('status of 4'))
      complaints.push(message.text());
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !url.startsWith('blob:')) complaints.push(`asked ${url}`);
  });
  return { check: () => expect(complaints).toEqual([]) };
}

/** Opens a job in the editor, as a person does with a file. */
export async function importJob(page: Page, job: object): Promise<void> {
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Import a job' }).click();
  await (await chooser).setFiles({
    name: 'storyboard.json',
    mimeType: 'application/json',
    buffer: Buffer.from(JSON.stringify(job)),
  });
}

/** What axe finds that keeps somebody from using the page. */
export async function barriers(page: Page): Promise<string[]> {
  // From outside of the page, whose policy lets nothing in.
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    // biome-ignore lint/suspicious/noExplicitAny: a global of the page
    const { violations } = await (window as any).axe.run(document, { resultTypes: ['violations'] });
    return violations
      .filter(({ impact }: { impact: string }) => impact === 'serious' || impact === 'critical')
      .map(
        ({ id, nodes }: { id: string; nodes: { html: string; failureSummary: string }[] }) =>
          `${id}: ${nodes[0]?.html.slice(0, 200)} ${nodes[0]?.failureSummary}`,
      );
  });
}
