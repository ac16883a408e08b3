import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { type Service, smallJob, startService } from '../support/service.ts';

const KEY = 'docs-key-0123456789abcdef';

let browser: Browser;
let page: Server;
let origin: string;
let stranger: Server;
let strangerOrigin: string;
let service: Service;

const servePage = async (): Promise<[Server, string]> => {
  const server = createServer((_, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>A page</title>'),
  );
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return [server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`];
};

beforeAll(async () => {
  [page, origin] = await servePage();
  [stranger, strangerOrigin] = await servePage();
  service = await startService({ PREVIEW_CORS_ORIGINS: origin, PREVIEW_API_KEYS: `docs:${KEY}` });
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await service?.stop();
  page?.close();
  stranger?.close();
});

/** What a page of that origin gets when it sends a job and follows it to its video, as a customer's page would. */
async function preview(from: string, jobId: string): Promise<string> {
  const context = await browser.newContext();
  const tab = await context.newPage();
  await tab.goto(from);
  const got = await tab.evaluate(
    async ({ url, key, job }) => {
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
      try {
        const sent = await fetch(`${url}/api/preview/job`, {
          method: 'POST',
          headers,
          body: JSON.stringify(job),
        });
        const location = sent.headers.get('location') ?? '';
        for (let i = 0; i < 200; i++) {
          const { status } = await (await fetch(url + location, { headers })).json();
          if (status === 'completed') break;
          await new Promise((next) => setTimeout(next, 100));
        }
        const { links } = await sent.json();
        const listed = await (await fetch(url + links.artifacts, { headers })).json();
        const { url: link } = listed.artifacts.find(({ name }: { name: string }) => name === 'preview.mp4');
        const video = await fetch(new URL(link, url));
        return `${sent.status} ${video.status} ${video.headers.get('content-type')}`;
      } catch (error) {
        return String(error);
      }
    },
    { url: service.url, key: KEY, job: { ...smallJob(jobId), projectId: 'docs' } },
  );
  await context.close();
  return got;
}

it('lets a page of a named origin send a job and fetch its video, and no other page', async () => {
  expect(await preview(origin, 'from-a-page')).toBe('202 200 video/mp4');
  expect(await preview(strangerOrigin, 'from-a-stranger')).toBe('TypeError: Failed to fetch');
});

it('shows the queues in Bull Board to who has a key that may operate', async () => {
  const context = await browser.newContext({
    httpCredentials: { username: 'operator', password: KEY },
    viewport: { width: 1280, height: 800 },
  });
  const tab = await context.newPage();
  const complaints: string[] = [];
  tab.on('pageerror', (error) => complaints.push(error.message));
  tab.on('request', (request) => {
    if (!request.url().startsWith(service.url) && !request.url().startsWith('data:'))
      complaints.push(`asked ${request.url()}`);
  });
  await tab.goto(`${service.url}/admin/queues/queue/preview-jobs?status=completed`);
  await eventually(async () => (await tab.getByText('from-a-page').count()) > 0 || undefined, 'the job');
  expect(complaints).toEqual([]);
  await context.close();
});
