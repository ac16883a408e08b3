import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { type Service, smallJob, startService } from '../support/service.ts';
import { barriers, upToDate, watchPage } from '../support/studio.ts';

const KEY = 'studio-key-0123456789abcdef';
const SCHEMES = ['light', 'dark'] as const;

let service: Service;
let browser: Browser;

/** With a key, so that signing in is part of it. */
beforeAll(async () => {
  service = await startService({
    PREVIEW_API_KEYS: `docs:${KEY},docs/read:docs-read-0123456789abcdef`,
  });
  browser = await launchChromium();
  for (const [jobId, upload] of [
    ['good', undefined],
    ['bad', 'ab'.repeat(32)],
  ] as const) {
    const assets = upload ? [{ id: 'photo', type: 'image' as const, upload }] : [];
    const steps = upload ? [{ title: 'One', asset: 'photo' }] : [{ title: 'One' }];
    const body = { ...smallJob(jobId, { steps, assets }), projectId: 'docs' };
    const sent = await fetch(`${service.url}/api/preview/job`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
      body: JSON.stringify(body),
    });
    expect(sent.status).toBe(202);
  }
});

afterAll(async () => {
  await browser?.close();
  await service?.stop();
});

async function signIn(page: Page, key = KEY): Promise<void> {
  await page.getByLabel('API key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

const PAGES: Record<string, { path: string; ready: string }> = {
  editor: { path: '/', ready: '[data-phase=ready]' },
  jobs: { path: '/jobs', ready: 'tr[data-job=good]' },
  'a completed job': { path: '/jobs/good', ready: '.files' },
  'a failed job': { path: '/jobs/bad', ready: '.notice.bad' },
  health: { path: '/queue', ready: '[data-letter=bad]' },
  'no such page': { path: '/jobs/none', ready: '.empty' },
};

describe('signing in', () => {
  it('asks for a key, says that a wrong one is wrong, and keeps the right one in the session only', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const watch = watchPage(page, service.url);
    await page.goto(service.url);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await signIn(page, 'wrong-key-0123456789abcdef');
    await page.locator('.field-error').waitFor();
    await signIn(page);
    await upToDate(page);
    const kept = await page.evaluate(() => [
      JSON.stringify(localStorage) + document.cookie,
      JSON.stringify(sessionStorage),
    ]);
    expect(kept[0]).not.toContain(KEY);
    expect(kept[1]).toContain(KEY);
    const other = await context.newPage();
    await other.goto(service.url);
    await other.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.getByRole('button', { name: /^Sign out/ }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    watch.check();
    await context.close();
  });

  it('says what a key may not do', async () => {
    const page = await browser.newPage();
    await page.goto(`${service.url}/queue`);
    await signIn(page, 'docs-read-0123456789abcdef');
    await page.getByText('This key cannot manage the queue').waitFor();
    await page.close();
  });
});

describe.each(SCHEMES)('each page, %s', (colorScheme) => {
  it('has no barriers, fits from 360 to 1600 pixels, and nothing jumps while it loads', async () => {
    const context = await browser.newContext({ colorScheme, viewport: { width: 1600, height: 1000 } });
    await context.addInitScript(`{
      window.shifts = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
      }).observe({ type: 'layout-shift', buffered: true });
    }`);
    const page = await context.newPage();
    await page.goto(service.url);
    await signIn(page);
    await upToDate(page);
    for (const [name, { path, ready }] of Object.entries(PAGES)) {
      for (const width of [1600, 1024, 360]) {
        await page.setViewportSize({ width, height: 900 });
        await page.goto(service.url + path);
        await page.locator(ready).first().waitFor();
        if (name === 'editor') await upToDate(page);
        const { wide, shifts } = await page.evaluate(() => ({
          wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
          shifts: (window as unknown as { shifts: number }).shifts,
        }));
        expect(wide, `${name} at ${width} is too wide`).toBeLessThanOrEqual(0);
        // Below 0.1 is good (web.dev/articles/cls).
        expect(shifts, `${name} at ${width} jumps`).toBeLessThan(0.1);
        const isLooked = width === 1600 || (width === 360 && colorScheme === 'light');
        if (isLooked) expect(await barriers(page), `${name} at ${width}`).toEqual([]);
      }
    }
    await context.close();
  });
});
