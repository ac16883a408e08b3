import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { type Service, startService } from '../support/service.ts';
import { changed, pictureOf, upToDate, watchPage } from '../support/studio.ts';

let service: Service;
let browser: Browser;
let page: Page;
let watch: ReturnType<typeof watchPage>;

beforeAll(async () => {
  service = await startService();
  browser = await launchChromium();
  page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  watch = watchPage(page, service.url);
  await page.goto(service.url);
});

afterAll(async () => {
  await browser?.close();
  await service?.stop();
});

describe('the editor', () => {
  it('opens with the example, and makes its preview', async () => {
    expect(await page.getByLabel('Title', { exact: true }).inputValue()).toBe('Brew a better pour-over');
    await upToDate(page);
    watch.check();
  });

  it('shows another picture when a word is changed', async () => {
    const title = page.getByLabel('Step 2, title');
    await title.click();
    await upToDate(page);
    const before = (await pictureOf(page)) ?? [];
    await title.fill('Rinse the paper filter');
    await changed(page, before);
    watch.check();
  });
});
