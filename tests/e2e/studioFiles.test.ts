import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { type Service, startService } from '../support/service.ts';
import { barriers, changed, pictureOf, upToDate, watchPage } from '../support/studio.ts';

const MOST_BYTES = 1_000_000;
const PHOTO = readFileSync('examples/features/media/wide.jpg');
const OTHER_PHOTO = readFileSync('examples/features/media/tall.jpg');
const VOICE = readFileSync('examples/pour-over-coffee/narration/01.ogg');

interface Chosen {
  name: string;
  mimeType: string;
  buffer: Buffer;
}

const photo = (name = 'photo.jpg'): Chosen => ({ name, mimeType: 'image/jpeg', buffer: PHOTO });
const tooLarge = (name: string, mimeType: string): Chosen => ({
  name,
  mimeType,
  buffer: Buffer.concat([mimeType.startsWith('audio') ? VOICE : PHOTO, Buffer.alloc(MOST_BYTES)]),
});
const text = (name: string, mimeType: string): Chosen => ({
  name,
  mimeType,
  buffer: Buffer.from('Not a picture, and not a sound. '.repeat(20)),
});

let service: Service;
let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  service = await startService({ PREVIEW_UPLOAD_MAX_BYTES: String(MOST_BYTES) });
  browser = await launchChromium();
});

afterEach(() => context?.close());

afterAll(async () => {
  await browser?.close();
  await service?.stop();
});

interface Draft {
  steps?: object[];
  assets?: object[];
}

const THREE_STEPS = [{ title: 'One' }, { title: 'Two' }, { title: 'Three' }];

/** The editor with a small storyboard that this browser has kept. */
async function openEditor(draft: Draft = {}, options: object = {}): Promise<Page> {
  const job = {
    previewRequest: {
      title: 'Files',
      steps: draft.steps ?? THREE_STEPS,
      assets: draft.assets ?? [],
      audio: {},
      options: { resolution: '320x180', fps: 10 },
    },
  };
  const kept = { name: 'preview-studio-draft', value: JSON.stringify(job) };
  context = await browser.newContext({
    viewport: { width: 1440, height: 1000 },
    storageState: { cookies: [], origins: [{ origin: service.url, localStorage: [kept] }] },
    ...options,
  });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  page.on('filechooser', () => undefined);
  await page.goto(service.url);
  return page;
}

const card = (page: Page, number: number): Locator => page.locator('.card').nth(number - 1);

async function choose(button: Locator, file: Chosen): Promise<void> {
  const chooser = button.page().waitForEvent('filechooser');
  await button.click();
  await (await chooser).setFiles(file);
}

const choosePicture = (page: Page, number: number, file: Chosen): Promise<void> =>
  choose(page.getByRole('button', { name: new RegExp(`^Step ${number}, (add a|change the) picture`) }), file);

/** What is said of a file that cannot be used, with its two buttons. */
const trouble = (within: Page | Locator, file: string): Locator => within.getByRole('group', { name: file });
const chooseAnother = (within: Locator): Locator => within.getByRole('button', { name: 'Choose another' });
const remove = (within: Locator): Locator => within.getByRole('button', { name: 'Remove' });

/** Changes a word, and waits until it is seen. */
async function showsWords(page: Page, number: number): Promise<void> {
  const title = page.getByLabel(`Step ${number}, title`);
  await title.click();
  await upToDate(page);
  const before = (await pictureOf(page)) ?? [];
  await title.fill(`Other words, ${Date.now()}`);
  await changed(page, before);
  await upToDate(page);
}

/** A job as it was sent. */
interface Sent {
  steps: { title: string; asset?: string; narration?: string }[];
  assets: { id: string; upload?: string }[];
  options: { brand?: object };
}

async function sentJob(jobId: string): Promise<Sent> {
  const { body } = await service.get(`/api/preview/job/${jobId}?projectId=studio`);
  return (body.job as { previewRequest: Sent }).previewRequest;
}

async function newestJob(): Promise<Sent & { status: string }> {
  const { body } = await service.get('/api/preview/jobs?limit=1');
  const [{ jobId, status }] = body.jobs as [{ jobId: string; status: string }];
  return { ...(await sentJob(jobId)), status };
}

/** The job that is rendered and looked at. */
async function rendered(page: Page): Promise<Sent> {
  await page.waitForURL(/\/jobs\//);
  const jobId = new URL(page.url()).pathname.split('/').pop() ?? '';
  expect((await service.ended(jobId)).status).toBe('completed');
  return sentJob(jobId);
}

async function render(page: Page): Promise<Sent> {
  await page.getByRole('button', { name: 'Render' }).click();
  return rendered(page);
}

const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Waits until the preview is of a job whose steps show these files. */
async function shows(page: Page, files: readonly (Buffer | undefined)[]): Promise<void> {
  const wanted = files.map((bytes) => bytes && digestOf(bytes));
  await eventually(async () => {
    const { steps, assets, status } = await newestJob();
    if (status !== 'completed') return undefined;
    const shown = steps.map(({ asset }) => assets.find(({ id }) => id === asset)?.upload);
    return JSON.stringify(shown) === JSON.stringify(wanted) || undefined;
  }, 'a preview with these pictures');
  await page.locator('[data-phase=ready][data-shown=whole]').waitFor();
}

const failedJobs = async (): Promise<unknown> => (await service.get('/api/preview/dead-letter')).body.total;

/** The name of what has the focus. */
const focused = (page: Page): Promise<string | null | undefined> =>
  page.evaluate(() => document.activeElement?.getAttribute('aria-label'));

/** Keeps uploads from being answered until they are let go. */
async function holdUploads(page: Page): Promise<{ hold(): Promise<void>; letGo(): void }> {
  let letGo = (): void => undefined;
  const hold = async (): Promise<void> => {
    const free = new Promise<void>((resolve) => (letGo = resolve));
    await page.unrouteAll();
    // What was held when its page was closed has nobody to go on for.
    await page.route('**/api/assets', (route) => free.then(() => route.continue()).catch(() => undefined));
  };
  await hold();
  return { hold, letGo: () => letGo() };
}

const draftOf = (page: Page): Promise<string> =>
  page.evaluate(() => localStorage.getItem('preview-studio-draft') ?? '');

/** Waits until the storyboard is kept with these words in it. */
const kept = (page: Page, words: string | RegExp): Promise<string> =>
  eventually(async () => {
    const draft = await draftOf(page);
    return draft.match(words) ? draft : undefined;
  }, `that ${words} is kept`);

describe.each([
  ['a file that is too large', tooLarge('huge.jpg', 'image/jpeg'), /at most 1\.0 MB/],
  ['a text that calls itself a picture', text('notes.jpg', 'image/jpeg'), /plain text/],
  ['a damaged picture', { ...photo('damaged.jpg'), buffer: PHOTO.subarray(0, 20_000) }, /damaged/],
])('%s', (_, file, reason) => {
  it('is named on its card with the reason, and everything else goes on', async () => {
    const page = await openEditor();
    const watch = watchPage(page, service.url);
    await choosePicture(page, 2, file);
    expect(await trouble(card(page, 2), file.name).innerText()).toMatch(reason);
    expect(await page.locator('.unseen[role=status]').innerText()).toMatch(reason);
    await showsWords(page, 1);
    expect(await failedJobs()).toBe(0);
    watch.check();
  });
});

/** A wrong file for everything that is a file. */
async function chooseWrongFiles(page: Page): Promise<void> {
  for (const panel of ['Look', 'Sound']) await page.locator('summary', { hasText: panel }).click();
  const named = (name: string): Locator => page.getByRole('button', { name });
  const wrong: [Locator, Chosen, string, RegExp][] = [
    [named('Step 2, add a picture'), { ...photo('song.jpg'), buffer: VOICE }, 'Step 2, picture', /a sound/],
    [
      named('Step 3, add narration'),
      text('voice.pdf', 'application/pdf'),
      'Step 3, narration',
      /not a sound/,
    ],
    [page.locator('[id="audio.music"]'), tooLarge('song.ogg', 'audio/ogg'), 'Music', /at most 1\.0 MB/],
    [page.locator('[id="options.logo"]'), text('logo.gif', 'image/gif'), 'Logo', /plain text/],
  ];
  for (const [button, file, place, reason] of wrong) {
    await choose(button, file);
    expect(await trouble(page, `${place}: ${file.name}`).innerText()).toMatch(reason);
  }
}

describe('a storyboard with a file that cannot be used', () => {
  it('is rendered without it, and it is said which one that is', async () => {
    const page = await openEditor();
    await choosePicture(page, 2, text('notes.jpg', 'image/jpeg'));
    await trouble(page, 'notes.jpg').waitFor();
    const { steps } = await render(page);
    expect(steps).toEqual(THREE_STEPS);
    expect(await page.locator('.toast').innerText()).toContain('notes.jpg');
  });

  it('is as it was after a reload, and another file can be chosen', async () => {
    const page = await openEditor();
    await choosePicture(page, 2, tooLarge('huge.jpg', 'image/jpeg'));
    await kept(page, 'huge.jpg');
    await page.reload();
    await upToDate(page);
    const words = trouble(card(page, 2), 'huge.jpg');
    expect(await words.innerText()).toMatch(/at most 1\.0 MB/);
    await choose(chooseAnother(words), photo());
    await card(page, 2).locator('img').waitFor();
    await words.waitFor({ state: 'detached' });
    await shows(page, [undefined, PHOTO, undefined]);
  });

  it('has its picture removed with a key, and the focus stays at its place', async () => {
    const page = await openEditor();
    await choosePicture(page, 2, tooLarge('huge.jpg', 'image/jpeg'));
    const words = trouble(card(page, 2), 'huge.jpg');
    await page.getByLabel('Step 2, words').focus();
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Choose another: Step 2, picture');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await words.waitFor({ state: 'detached' });
    await eventually(
      async () => (await focused(page)) === 'Step 2, add a picture' || undefined,
      'the focus on the picture',
    );
    await page.keyboard.press('Control+z');
    await words.waitFor();
  });

  it.each(['light', 'dark'] as const)('has no barriers and fits into 360 pixels, %s', async (colorScheme) => {
    const page = await openEditor({}, { colorScheme });
    await chooseWrongFiles(page);
    await upToDate(page);
    for (const width of [1440, 360]) {
      await page.setViewportSize({ width, height: 900 });
      const wide = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(wide, `at ${width}`).toBeLessThanOrEqual(0);
      expect(await barriers(page), `at ${width}`).toEqual([]);
    }
  });

  it('is put right where each file is, also on a small screen', async () => {
    const page = await openEditor({}, { viewport: { width: 360, height: 900 } });
    await chooseWrongFiles(page);
    const voice = { name: 'voice.ogg', mimeType: 'audio/ogg', buffer: VOICE };
    await choose(chooseAnother(trouble(page, 'Step 3, narration')), voice);
    await page.getByRole('button', { name: 'Step 3, change the narration' }).waitFor();
    await remove(trouble(page, 'Music')).click();
    await eventually(
      async () => (await page.evaluate(() => document.activeElement?.id)) === 'audio.music' || undefined,
      'the focus on the music',
    );
    await choose(chooseAnother(trouble(page, 'Logo')), photo('logo.jpg'));
    await remove(trouble(page, 'Step 2, picture')).click();
    await page.locator('.trouble').first().waitFor({ state: 'detached' });
    await shows(page, [undefined, undefined, undefined]);
    const { steps, assets, options } = await newestJob();
    expect(assets.map(({ id, upload }) => [id, upload])).toEqual([
      ['voice-2', digestOf(VOICE)],
      ['logo-2', digestOf(PHOTO)],
    ]);
    expect(steps[2]?.narration).toBe('voice-2');
    expect(options.brand).toEqual({ logo: 'logo-2' });
  });

  it('is undone and done again with its files', async () => {
    const page = await openEditor();
    await choosePicture(page, 2, photo());
    await shows(page, [undefined, PHOTO, undefined]);
    await choosePicture(page, 2, text('notes.jpg', 'image/jpeg'));
    await trouble(page, 'notes.jpg').waitFor();
    await shows(page, [undefined, undefined, undefined]);
    await page.getByRole('button', { name: 'Undo' }).click();
    await trouble(page, 'notes.jpg').waitFor({ state: 'detached' });
    await shows(page, [undefined, PHOTO, undefined]);
    await page.getByRole('button', { name: 'Undo' }).click();
    await shows(page, [undefined, undefined, undefined]);
    await page.getByRole('button', { name: 'Redo' }).click();
    await shows(page, [undefined, PHOTO, undefined]);
    await page.getByRole('button', { name: 'Redo' }).click();
    await trouble(page, 'notes.jpg').waitFor();
  });
});

describe('a file', () => {
  it('stays with its step when the page is loaded again, also where it took long to be sent', async () => {
    const page = await openEditor();
    const upload = await holdUploads(page);
    await choosePicture(page, 2, photo('first.jpg'));
    const [first] = (await kept(page, /file-\w+/)).match(/file-\w+/) ?? [];
    upload.letGo();
    await kept(page, digestOf(PHOTO));
    await page.reload();
    await shows(page, [undefined, PHOTO, undefined]);
    await upload.hold();
    await choosePicture(page, 3, { ...photo('second.jpg'), buffer: OTHER_PHOTO });
    const [second] = (await kept(page, /file-\w+/)).match(/file-\w+/) ?? [];
    expect(second).not.toBe(first);
    upload.letGo();
    await shows(page, [undefined, PHOTO, OTHER_PHOTO]);
    expect(await page.locator('.card img').count()).toBe(1);
  });

  it('of an older page is shown in no other step, where both were called file-1', async () => {
    const page = await openEditor({
      steps: [{ title: 'One', asset: 'beans' }, { title: 'Two' }, { title: 'Three', asset: 'cup' }],
      assets: [
        { id: 'beans', type: 'image', upload: 'file-1' },
        { id: 'cup', type: 'image', upload: 'file-1' },
      ],
    });
    await trouble(card(page, 1), 'beans').waitFor();
    await trouble(card(page, 3), 'cup').waitFor();
    await choosePicture(page, 2, photo());
    await shows(page, [undefined, PHOTO, undefined]);
    expect(await page.locator('.card img').count()).toBe(1);
    await choose(chooseAnother(card(page, 3)), { ...photo('new.jpg'), buffer: OTHER_PHOTO });
    await shows(page, [undefined, PHOTO, OTHER_PHOTO]);
    await trouble(card(page, 1), 'beans').waitFor();
  });

  it('that was on its way when the page was closed is asked for once more', async () => {
    const page = await openEditor();
    const upload = await holdUploads(page);
    await choosePicture(page, 2, photo());
    await kept(page, 'photo.jpg');
    await page.reload();
    expect(await trouble(card(page, 2), 'photo.jpg').innerText()).toContain(
      'closed before the file was sent',
    );
    await upToDate(page);
    upload.letGo();
    await choose(chooseAnother(card(page, 2)), photo());
    await shows(page, [undefined, PHOTO, undefined]);
  });

  it('that the service does not have any more is asked for once more, and no job fails for it', async () => {
    const page = await openEditor({
      steps: [{ title: 'One', asset: 'gone' }, { title: 'Two' }, { title: 'Three' }],
      assets: [{ id: 'gone', type: 'image', upload: 'ab'.repeat(32) }],
    });
    expect(await trouble(card(page, 1), 'gone').innerText()).toContain('no longer has this file');
    await upToDate(page);
    expect(await failedJobs()).toBe(0);
    await choose(chooseAnother(card(page, 1)), photo());
    await shows(page, [PHOTO, undefined, undefined]);
  });

  it('that the service has lost while the page has it is sent again by itself', async () => {
    const page = await openEditor();
    await choosePicture(page, 2, photo());
    await shows(page, [undefined, PHOTO, undefined]);
    await fetch(`${service.url}/api/assets/${digestOf(PHOTO)}`, { method: 'DELETE' });
    await showsWords(page, 1);
    await shows(page, [undefined, PHOTO, undefined]);
  });

  it('is sent again by itself where the service is away for a moment', async () => {
    const page = await openEditor();
    let refused = 0;
    await page.route('**/api/assets', (route) => {
      if (++refused > 2) return route.continue();
      return refused === 1 ? route.abort() : route.fulfill({ status: 503, json: {} });
    });
    await choosePicture(page, 2, photo());
    await showsWords(page, 1);
    await shows(page, [undefined, PHOTO, undefined]);
    expect(refused).toBe(3);
  });

  it('that could not be sent for another reason is sent when that is asked for', async () => {
    const page = await openEditor();
    await page.route('**/api/assets', (route) =>
      route.fulfill({ status: 200, contentType: 'text/html', body: '<h1>Welcome</h1>' }),
    );
    await choosePicture(page, 2, photo());
    await upToDate(page);
    await page.unrouteAll();
    await trouble(card(page, 2), 'photo.jpg').getByRole('button', { name: 'Try again' }).click();
    await shows(page, [undefined, PHOTO, undefined]);
    expect(await card(page, 2).locator('img').count()).toBe(1);
  });

  it('that takes long to be sent holds nothing up, also together with others, and a render waits for it', async () => {
    const page = await openEditor();
    await upToDate(page);
    const network = await context.newCDPSession(page);
    const sendAt = (uploadThroughput: number) =>
      network.send('Network.emulateNetworkConditions', {
        offline: false,
        latency: 0,
        downloadThroughput: -1,
        uploadThroughput,
      });
    await sendAt(60_000);
    // More than a browser has connections to one host.
    await page.evaluate(dropPictures, { photo: PHOTO.toString('base64'), count: 8, bytes: 900_000 });
    await showsWords(page, 1);
    await page.getByRole('button', { name: 'Render' }).click();
    await page.getByRole('button', { name: 'Sending files' }).waitFor();
    await sendAt(-1);
    expect((await rendered(page)).steps.slice(3).map(({ asset }) => asset)).toEqual(
      Array.from({ length: 8 }, (_, i) => `photo-${i + 1}`),
    );
  });
});

/** Runs in the page: drops photos of that size beside the steps. */
function dropPictures(drop: { photo: string; count: number; bytes: number }): void {
  const head = Uint8Array.from(atob(drop.photo), (letter) => letter.charCodeAt(0));
  const data = new DataTransfer();
  for (let i = 1; i <= drop.count; i++) {
    const rest = new Uint8Array(drop.bytes - head.length).fill(i);
    data.items.add(new File([head, rest], `photo-${i}.jpg`, { type: 'image/jpeg' }));
  }
  document.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
}
