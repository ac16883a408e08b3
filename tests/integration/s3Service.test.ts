import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startS3, TEST_BUCKET, type TestS3 } from '../support/s3.ts';
import { type Service, smallJob, startService } from '../support/service.ts';

describe('a service whose store is a bucket', () => {
  let s3: TestS3;
  let service: Service;

  beforeAll(async () => {
    process.env.AWS_ACCESS_KEY_ID = 'S3RVER';
    process.env.AWS_SECRET_ACCESS_KEY = 'S3RVER';
    s3 = await startS3();
    service = await startService({ STORE_URL: `s3://${TEST_BUCKET}/demo?endpoint=${s3.endpoint}` });
  });
  afterAll(async () => {
    await service.stop();
    await s3.stop();
  });

  it('renders, keeps all of it there, and serves it', async () => {
    await service.post('/api/preview/job', smallJob('cloud', { steps: [{ title: 'One' }] }));
    expect(await service.ended('cloud')).toMatchObject({ status: 'completed' });
    const { body } = await service.get('/api/preview/job/cloud/artifact?name=preview.mp4');
    const download = await fetch(service.url + String(body.url));
    const bytes = Buffer.from(await download.arrayBuffer());
    expect(bytes.length).toBe(body.bytes);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(body.sha256);
    expect(await readdir(service.dataDir)).not.toContain('store');
  });

  it('serves a range of it', async () => {
    const { body } = await service.get('/api/preview/job/cloud/artifact?name=preview.mp4');
    const part = await fetch(service.url + String(body.url), { headers: { range: 'bytes=4-7' } });
    expect(part.status).toBe(206);
    expect(await part.text()).toBe('ftyp');
  });

  it('renders what did not change only once', async () => {
    await service.post(
      '/api/preview/job',
      smallJob('cloud-again', { steps: [{ title: 'One' }], title: 'Preview cloud' }),
    );
    expect(await service.ended('cloud-again')).toMatchObject({ status: 'completed' });
    const { body } = await service.get('/api/preview/job/cloud-again/artifact?name=manifest.json');
    const manifest = (await (await fetch(service.url + String(body.url))).json()) as {
      stats: { segments: { total: number; reused: number } };
    };
    expect(manifest.stats.segments).toEqual({ total: 2, reused: 2 });
  });

  it('is healthy, as long as the bucket is', async () => {
    expect(await service.get('/api/preview/worker/health')).toMatchObject({ status: 200 });
  });

  describe('that sends downloads on to the bucket', () => {
    let other: Service;
    beforeAll(async () => {
      const env = { STORE_URL: `s3://${TEST_BUCKET}/demo?endpoint=${s3.endpoint}` };
      other = await startService({ ...env, PREVIEW_DOWNLOADS: 'redirect', PREVIEW_URL_TTL_SECONDS: '300' });
      await other.post('/api/preview/job', smallJob('sent-on', { steps: [{ title: 'One' }] }));
      await other.ended('sent-on');
    });
    afterAll(() => other.stop());

    it('answers a signed URL with an address that opens this one file, for as long', async () => {
      const { body } = await other.get('/api/preview/job/sent-on/artifact?name=preview.mp4');
      const answer = await other.get(String(body.url));
      expect(answer.status).toBe(302);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      const address = new URL(String(answer.headers.get('location')));
      expect(address.origin).toBe(s3.endpoint);
      expect(address.pathname).toContain(String(body.sha256));
      const seconds = Number(address.searchParams.get('X-Amz-Expires'));
      expect(seconds).toBeGreaterThan(290);
      expect(seconds).toBeLessThanOrEqual(300);
      const download = await fetch(address);
      const bytes = Buffer.from(await download.arrayBuffer());
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(body.sha256);
      expect(download.headers.get('content-type')).toBe('video/mp4');
      expect(download.headers.get('content-disposition')).toContain('preview.mp4');
      const part = await fetch(address, { headers: { range: 'bytes=4-7' } });
      expect([part.status, await part.text()]).toEqual([206, 'ftyp']);
    });

    it('refuses a URL that nobody signed, and answers HEAD and the segments of the stream itself', async () => {
      const { body } = await other.get('/api/preview/job/sent-on/artifact?name=preview.mp4');
      expect(await other.get(String(body.url).replace(/signature=./, 'signature=-'))).toMatchObject({
        status: 403,
      });
      const head = await fetch(other.url + String(body.url), { method: 'HEAD', redirect: 'manual' });
      expect([head.status, Number(head.headers.get('content-length'))]).toEqual([200, body.bytes]);
      const playlist = '/api/preview/job/sent-on/stream/video.m3u8';
      const { body: list } = await other.get(playlist);
      const [segment = ''] = String(list.text)
        .split('\n')
        .filter((line) => line && !line.startsWith('#'));
      expect(
        await other.get(new URL(segment, other.url + playlist).href.slice(other.url.length)),
      ).toMatchObject({ status: 200 });
    });
  });
});
