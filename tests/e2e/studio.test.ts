import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { type Service, smallJob, startService } from '../support/service.ts';
import { changed, difference, pictureOf, upToDate, watchPage } from '../support/studio.ts';

/** A photo that is like none of the example's. */
const folder = mkdtempSync(join(tmpdir(), 'preview-studio-'));
const PHOTO = join(folder, 'photo.jpg');

let service: Service;
let browser: Browser;
let page: Page;
let watch: ReturnType<typeof watchPage>;
/** The digest of each segment that the page asked for, in order. */
const fetched: string[] = [];

beforeAll(async () => {
  await sharp({ create: { width: 1280, height: 720, channels: 3, background: '#2f6fed' } })
    .jpeg()
    .toFile(PHOTO);
  service = await startService();
  browser = await launchChromium();
  page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
  watch = watchPage(page, service.url);
  page.on('request', (request) => {
    const [, digest] = /\/artifacts\/(\w{64})\/\d+\.m4s/.exec(request.url()) ?? [];
    if (digest) fetched.push(digest);
  });
  // Choosers are caught from the beginning: a key is quicker than a listener that is only just added.
  page.on('filechooser', () => undefined);
  await page.goto(service.url);
});

afterAll(async () => {
  await browser?.close();
  await service?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const button = (name: string | RegExp): Locator => page.getByRole('button', { name });
const titles = (): Promise<string[]> =>
  page
    .locator('.card-title')
    .evaluateAll((fields) => fields.map((field) => (field as HTMLInputElement).value));

const upToDateWhilePlaying = (): Promise<void> =>
  page.locator('[data-phase=ready][data-shown=whole]').waitFor();

/** Goes to an element with the Tab key alone. */
async function tabTo(target: Locator): Promise<void> {
  await eventually(async () => {
    for (let presses = 0; presses < 20; presses++) {
      if (await target.evaluate((element) => element === document.activeElement)) return true;
      await page.keyboard.press('Tab');
    }
    return undefined;
  }, 'the focus');
}

/** Drops a file on an element. */
async function drop(target: Locator, path: string, type: string): Promise<void> {
  const data = await page.evaluateHandle(
    ([bytes, name, mediaType]) => {
      const transfer = new DataTransfer();
      const content = Uint8Array.from(atob(bytes as string), (letter) => letter.charCodeAt(0));
      transfer.items.add(new File([content], name as string, { type: mediaType as string }));
      return transfer;
    },
    [readFileSync(path).toString('base64'), path.replace(/^.*\//, ''), type],
  );
  await target.dispatchEvent('dragover', { dataTransfer: data });
  await target.dispatchEvent('drop', { dataTransfer: data });
}

describe('the editor', () => {
  it('opens with the example, and makes its preview', async () => {
    await page.getByLabel('Title', { exact: true }).waitFor();
    expect(await page.getByLabel('Title', { exact: true }).inputValue()).toBe('Brew a better pour-over');
    expect((await titles()).length).toBe(7);
    await upToDate(page);
  });

  it('shows another picture when a word is changed, and fetches no segment twice', async () => {
    const title = page.getByLabel('Step 2, title');
    await title.click();
    await upToDate(page);
    const before = (await pictureOf(page)) ?? [];
    await title.fill('Rinse the paper filter');
    await changed(page, before);
    await upToDate(page);
    expect(fetched.length).toBeGreaterThan(2);
    expect(fetched.length).toBe(new Set(fetched).size);
    await eventually(async () => {
      const states = await page
        .locator('.segment')
        .evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset.state));
      return states.length === 8 && states.filter((state) => state === 'reused').length === 6
        ? true
        : undefined;
    }, 'six segments of eight that were reused');
  });

  it('takes a change back, and does it again, with the keys of every editor', async () => {
    const title = page.getByLabel('Step 2, title');
    await title.press('Control+z');
    expect(await title.inputValue()).toBe('Rinse the filter');
    await title.press('Control+Shift+z');
    expect(await title.inputValue()).toBe('Rinse the paper filter');
    await button('Undo').click();
    expect(await title.inputValue()).toBe('Rinse the filter');
    await upToDate(page);
  });

  it('goes on playing where it was when something is changed meanwhile', async () => {
    const slider = page.getByRole('slider', { name: 'Position' });
    const second = async (): Promise<number> => Number(await slider.getAttribute('aria-valuenow'));
    await slider.press('Home');
    await slider.press('PageUp');
    await slider.press('PageUp');
    await button('Play').click();
    const at = await second();
    await eventually(async () => (await second()) > at || undefined, 'that it plays');
    await page.getByLabel('Step 7, title').fill('Swirl, pour and enjoy');
    await upToDateWhilePlaying();
    expect(await second()).toBeGreaterThan(at);
    expect(await second()).toBeLessThan(at + 30);
    const later = await second();
    await eventually(async () => (await second()) > later || undefined, 'that it still plays');
    await button('Pause').click();
    await page.getByLabel('Step 7, title').press('Control+z');
    await upToDate(page);
  });

  it('shows a photo that is dropped on a step, at once in the step and then in the video', async () => {
    await page.getByLabel('Step 3, title').click();
    await upToDate(page);
    const before = (await pictureOf(page)) ?? [];
    const card = page.locator('.card').nth(2);
    await drop(card, PHOTO, 'image/jpeg');
    expect(await card.locator('img').getAttribute('src')).toMatch(/^blob:/);
    const after = await changed(page, before);
    expect(difference(before, after)).toBeGreaterThan(0.2);
    await upToDate(page);
  });

  it('says what is wrong at the field itself, and goes on when it is put right', async () => {
    const seconds = page.getByLabel('Step 1, duration in seconds');
    await seconds.fill('0.1');
    const card = page.locator('.card').first();
    await card.locator('.field-error').waitFor();
    expect(await card.locator('.field-error').innerText()).toMatch(/0\.5/);
    expect(await seconds.getAttribute('aria-invalid')).toBe('true');
    expect(await seconds.getAttribute('aria-describedby')).toBe(
      await card.locator('.field-error').getAttribute('id'),
    );
    await page.locator('[data-phase=invalid]').waitFor();
    await button('Render').click();
    await page.locator('.toast').waitFor();
    expect(await page.locator('.toast').innerText()).toMatch(/^Step 1, duration: .*0\.5/);
    await seconds.fill('');
    await card.locator('.field-error').waitFor({ state: 'detached' });
    await upToDate(page);
  });

  it('moves a step by its grip', async () => {
    const [first, second, third] = await titles();
    const grips = page.locator('.card-grip');
    const from = await grips.nth(0).boundingBox();
    const to = await page.locator('.card').nth(2).boundingBox();
    if (!from || !to) throw new Error('no cards');
    await page.mouse.move(from.x + 10, from.y + 10);
    await page.mouse.down();
    await page.mouse.move(from.x + 10, to.y + to.height - 8, { steps: 8 });
    await page.mouse.up();
    expect((await titles()).slice(0, 3)).toEqual([second, third, first]);
    await button('Undo').click();
    expect((await titles()).slice(0, 3)).toEqual([first, second, third]);
  });

  it('goes out as a job, and comes back from its file', async () => {
    const download = page.waitForEvent('download');
    await button('Export the job').click();
    const path = await (await download).path();
    const job = JSON.parse(readFileSync(path, 'utf8'));
    const { status } = await service.post('/api/preview/validate', job);
    expect(status).toBe(200);
    await button('New').click();
    expect(await titles()).toEqual([]);
    const chooser = page.waitForEvent('filechooser');
    await button('Import a job').click();
    await (await chooser).setFiles(path);
    await page.getByLabel('Step 7, title').waitFor();
    expect(await page.getByLabel('Title', { exact: true }).inputValue()).toBe('Brew a better pour-over');
    await upToDate(page);
  });
});

describe('the editor, by keyboard alone', () => {
  it('changes a word, and moves, copies and deletes a step', async () => {
    await page.goto(service.url);
    await upToDate(page);
    const before = (await pictureOf(page)) ?? [];
    await tabTo(page.getByLabel('Title', { exact: true }));
    await page.keyboard.press('End');
    await page.keyboard.type(', by keyboard');
    await changed(page, before);
    const [first, second] = await titles();
    await tabTo(page.locator('.card-grip').first());
    await page.keyboard.press('ArrowDown');
    expect((await titles()).slice(0, 2)).toEqual([second, first]);
    await eventually(
      async () =>
        (await page.locator('.unseen[role=status]').innerText()).includes('place 2 of 7') || undefined,
      'that it is said',
    );
    await page.keyboard.press('ArrowUp');
    await tabTo(button('Duplicate Step 1'));
    await page.keyboard.press('Enter');
    expect((await titles()).slice(0, 3)).toEqual([first, first, second]);
    await tabTo(button('Delete Step 2'));
    await page.keyboard.press('Enter');
    expect((await titles()).slice(0, 2)).toEqual([first, second]);
    // The focus is on what took its place.
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe(
      'Step 2, title',
    );
    await upToDate(page);
  });

  it('chooses a photo, and breaks and repairs a field', async () => {
    await tabTo(button('Step 2, change the picture'));
    await upToDate(page);
    const before = (await pictureOf(page)) ?? [];
    await tabTo(button('Step 2, change the picture'));
    const chooser = page.waitForEvent('filechooser');
    await page.keyboard.press('Enter');
    await (await chooser).setFiles(PHOTO);
    expect(difference(before, await changed(page, before))).toBeGreaterThan(0.2);
    await tabTo(page.getByLabel('Step 2, duration in seconds'));
    await page.keyboard.type('soon');
    await page.locator('.card').nth(1).locator('.field-error').waitFor();
    for (let i = 0; i < 4; i++) await page.keyboard.press('Backspace');
    await page.locator('.card').nth(1).locator('.field-error').waitFor({ state: 'detached' });
    await upToDate(page);
    watch.check();
  });
});

/** A storyboard that takes seconds: each transition has to be encoded. */
async function slowJob(jobId: string, steps: number) {
  const { body } = await service.upload(readFileSync(PHOTO));
  return smallJob(jobId, {
    title: `Slow ${jobId}`,
    steps: Array.from({ length: steps }, (_, i) => ({
      title: `Step ${i + 1} of ${jobId}`,
      text: 'Some words that can be read as a caption.',
      asset: 'photo',
      durationSeconds: 2,
      transition: { type: i % 2 === 0 ? ('wipe' as const) : ('slide' as const), durationSeconds: 1 },
    })),
    assets: [{ id: 'photo', type: 'image', upload: String(body.sha256) }],
    options: { resolution: '1280x720' },
  });
}

const openJob = (title: string): Promise<void> => page.getByRole('link', { name: title }).click();
const row = (jobId: string): Locator => page.locator(`tr[data-job="${jobId}"]`);

describe('the jobs', () => {
  it('appear while they are looked at, and one is watched to its end', async () => {
    await page.getByRole('link', { name: 'Jobs' }).click();
    await page.getByRole('heading', { name: 'Jobs' }).waitFor();
    await service.post('/api/preview/job', await slowJob('watched', 12));
    await openJob('Slow watched');
    const seen = new Set<string>();
    await eventually(async () => {
      seen.add((await page.locator('.job-title .state').innerText()).trim());
      return seen.has('Completed') || undefined;
    }, 'the end');
    expect(seen.has('Rendering')).toBe(true);
    await page.locator('.waterfall li').first().waitFor();
    expect(await page.locator('.attempts li').count()).toBe(1);
    expect(await page.locator('.log li').count()).toBeGreaterThan(0);
    await page.locator('.files').waitFor();
  });

  it('play with captions, chapters and thumbnails, and their files can be had and passed on', async () => {
    await eventually(async () => await pictureOf(page), 'a picture');
    await button('Show captions').click();
    const slider = page.getByRole('slider', { name: 'Position' });
    await slider.press('PageUp');
    await slider.press('PageUp');
    expect(await slider.getAttribute('aria-valuetext')).toContain('Step 2 of watched');
    await page.locator('.caption').waitFor();
    expect(await page.locator('.caption').innerText()).toContain('Some words');
    const at = Number(await slider.getAttribute('aria-valuenow'));
    await button('Play').click();
    await eventually(
      async () => Number(await slider.getAttribute('aria-valuenow')) > at || undefined,
      'that it plays',
    );
    await button('Pause').click();
    await slider.hover();
    await page.locator('.scrub-tip .sprite').waitFor();
    const link = (await page.locator('a[download="preview.mp4"]').getAttribute('href')) ?? '';
    expect((await fetch(service.url + link)).headers.get('content-type')).toBe('video/mp4');
    expect(await page.locator('.facts').innerText()).toMatch(/Length/);
    expect(await page.locator('.files-note').innerText()).toMatch(/valid until \d/);
  });

  it('are cancelled', async () => {
    await page.getByRole('link', { name: 'Jobs', exact: true }).first().click();
    await service.post('/api/preview/job', await slowJob('cancelled', 60));
    await button('Cancel Slow cancelled').click();
    await eventually(
      async () => (await row('cancelled').innerText()).includes('Cancelled') || undefined,
      'that it is cancelled',
    );
  });

  it('are filtered in the address bar', async () => {
    await button('Failed').click();
    expect(new URL(page.url()).search).toBe('?status=failed');
    await page.getByText('No job matches').waitFor();
    await button('Cancelled').click();
    await page.getByRole('searchbox').fill('slow');
    await row('cancelled').waitFor();
    expect(new URL(page.url()).search).toBe('?status=cancelled&q=slow');
    await page.reload();
    await row('cancelled').waitFor();
    expect(await page.locator('tr[data-job]').count()).toBe(1);
  });

  it('that fail wait as dead letters, and are replayed when the reason is gone', async () => {
    const photo = readFileSync('examples/features/media/wide.jpg');
    await failing('broken', createHash('sha256').update(photo).digest('hex'));
    await page.getByRole('link', { name: 'Health' }).click();
    const letter = page.locator('[data-letter=broken]');
    await letter.waitFor();
    expect(await letter.innerText()).toContain('has not been uploaded');
    await service.upload(photo);
    await button('Replay broken').click();
    await letter.waitFor({ state: 'detached' });
    expect((await service.ended('broken')).status).toBe('completed');
    await eventually(
      async () => (await page.locator('.checks li.good').count()) === 4 || undefined,
      'that all is well',
    );
    watch.check();
  });
});

/** A job whose picture was never uploaded. */
async function failing(jobId: string, upload: string): Promise<void> {
  await service.post(
    '/api/preview/job',
    smallJob(jobId, { steps: [{ asset: 'photo' }], assets: [{ id: 'photo', type: 'image', upload }] }),
  );
  expect((await service.ended(jobId)).status).toBe('failed');
}

describe('the jobs, by keyboard alone', () => {
  it('are found, played and cancelled', async () => {
    await page.goto(`${service.url}/jobs?q=watched`);
    const link = page.getByRole('link', { name: 'Slow watched' });
    await link.waitFor();
    await tabTo(link);
    await page.keyboard.press('Enter');
    await page.locator('.files').waitFor();
    await eventually(async () => await pictureOf(page), 'a picture');
    const slider = page.getByRole('slider', { name: 'Position' });
    await tabTo(slider);
    await page.keyboard.press('c');
    await page.keyboard.press('PageUp');
    await page.keyboard.press('ArrowRight');
    await page.locator('.caption').waitFor();
    const at = Number(await slider.getAttribute('aria-valuenow'));
    await page.keyboard.press('Space');
    await eventually(
      async () => Number(await slider.getAttribute('aria-valuenow')) > at || undefined,
      'that it plays',
    );
    await page.keyboard.press('Space');
    await service.post('/api/preview/job', await slowJob('stopped', 60));
    await page.goto(`${service.url}/jobs/stopped?projectId=tests`);
    await button('Cancel').waitFor();
    await tabTo(button('Cancel'));
    await page.keyboard.press('Enter');
    await page.locator('.state-cancelled').waitFor();
  });

  it('are replayed and discarded', async () => {
    for (const jobId of ['one', 'two']) await failing(jobId, 'ab'.repeat(32));
    await page.goto(`${service.url}/queue`);
    await page.locator('[data-letter=two]').waitFor();
    await tabTo(button('Replay all'));
    const before = new Date().toISOString();
    await page.keyboard.press('Enter');
    // They fail again, for the same reason.
    for (const jobId of ['one', 'two']) {
      await eventually(async () => {
        const { status, body } = await service.get(`/api/preview/dead-letter/${jobId}`);
        return status === 200 && String(body.failedAt) > before ? true : undefined;
      }, 'that it failed again');
    }
    await page.locator('[data-letter=one]').waitFor();
    await tabTo(button('Discard one'));
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await tabTo(button('Discard one'));
    await page.keyboard.press('Enter');
    await tabTo(page.getByRole('dialog').getByRole('button', { name: 'Discard' }));
    await page.keyboard.press('Enter');
    await page.locator('[data-letter=one]').waitFor({ state: 'detached' });
    watch.check();
  });
});
