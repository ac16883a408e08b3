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
});
