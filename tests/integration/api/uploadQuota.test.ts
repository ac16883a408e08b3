import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openRaw } from '../../support/rawClient.ts';
import { startS3, TEST_BUCKET } from '../../support/s3.ts';
import { type Service, smallJob, startService } from '../../support/service.ts';

const DOCS = 'docs-key-0123456789abcdef';
const SHOP = 'shop-key-0123456789abcdef';
const QUOTA = 10_000;
const MAX = 8000;
const ENV = {
  PREVIEW_API_KEYS: `docs:${DOCS},shop:${SHOP}`,
  PREVIEW_UPLOAD_QUOTA_BYTES: String(QUOTA),
  PREVIEW_UPLOAD_MAX_BYTES: String(MAX),
};

/** Begins like a JPEG; nobody decodes it here. */
function file(bytes: number, fill: number): Buffer {
  const file = Buffer.alloc(bytes, fill);
  Buffer.from('ffd8ffe000104a464946', 'hex').copy(file);
  return file;
}

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

interface Place {
  env: Record<string, string>;
  stop(): Promise<void>;
}

describe.each([
  [
    'a folder',
    async (): Promise<Place> => {
      const folder = await mkdtemp(join(tmpdir(), 'preview-quota-'));
      return { env: { DATA_DIR: folder }, stop: () => rm(folder, { recursive: true, force: true }) };
    },
  ],
  [
    'a bucket',
    async (): Promise<Place> => {
      const s3 = await startS3();
      process.env.AWS_ACCESS_KEY_ID = 'S3RVER';
      process.env.AWS_SECRET_ACCESS_KEY = 'S3RVER';
      const STORE_URL = `s3://${TEST_BUCKET}/quota?endpoint=${encodeURIComponent(s3.endpoint)}`;
      return { env: { STORE_URL }, stop: () => s3.stop() };
    },
  ],
])('the uploads of a project, in %s', (_, openPlace) => {
  let place: Place;
  let service: Service;

  beforeAll(async () => {
    place = await openPlace();
    service = await startService({ ...ENV, ...place.env });
    return async () => {
      await service.stop();
      await place.stop();
    };
  });

  afterEach(async () => {
    for (const key of [DOCS, SHOP])
      for (const { sha256 } of (await uploads(key)).uploads)
        expect((await call('DELETE', `/api/assets/${sha256}`, key)).status).toBe(204);
  });

  const call = (method: string, path: string, key: string, body?: Uint8Array): Promise<Response> =>
    fetch(service.url + path, {
      method,
      headers: { authorization: `Bearer ${key}` },
      ...(body ? { body: Buffer.from(body) } : {}),
    });
  const upload = (bytes: Uint8Array, key = DOCS): Promise<Response> =>
    call('POST', '/api/assets', key, bytes);
  const uploads = async (key = DOCS) =>
    (await (await call('GET', '/api/assets', key)).json()) as {
      total: number;
      usedBytes: number;
      quotaBytes: number;
      uploads: { sha256: string; bytes: number }[];
    };

  test('have room until they are as many bytes as they may be; what is refused says what to do', async () => {
    expect((await upload(file(6000, 1))).status).toBe(201);
    const refused = await upload(file(4001, 2));
    expect(refused.status).toBe(413);
    expect(await refused.json()).toMatchObject({
      code: 'upload_quota_exceeded',
      detail: expect.stringMatching(
        /10000 bytes in all, and 4000 are left.*DELETE.*PREVIEW_UPLOAD_QUOTA_BYTES/s,
      ),
    });
    expect((await upload(file(4000, 3))).status).toBe(201);
    expect(await uploads()).toMatchObject({ total: 2, usedBytes: QUOTA, quotaBytes: QUOTA });
    // Another project has room of its own.
    expect((await upload(file(6000, 1), SHOP)).status).toBe(201);
  });

  test('count once, however often they are sent', async () => {
    for (let i = 0; i < 3; i++) expect((await upload(file(4000, 4))).status).toBe(201);
    expect(await uploads()).toMatchObject({ total: 1, usedBytes: 4000 });
  });

  test('make room when they are taken back, and are not there any more for a job', async () => {
    const first = file(7000, 5);
    await upload(first);
    expect((await upload(file(7000, 6))).status).toBe(413);
    const removed = `/api/assets/${digestOf(first)}`;
    expect((await call('DELETE', removed, SHOP)).status).toBe(404);
    expect((await call('DELETE', removed, DOCS)).status).toBe(204);
    expect((await call('DELETE', removed, DOCS)).status).toBe(404);
    expect((await upload(file(7000, 6))).status).toBe(201);
    const job = smallJob(
      'gone',
      { steps: [{ asset: 'a' }], assets: [{ id: 'a', type: 'image', upload: digestOf(first) }] },
      { projectId: 'docs' },
    );
    const planned = await fetch(`${service.url}/api/preview/validate`, {
      method: 'POST',
      headers: { authorization: `Bearer ${DOCS}`, 'content-type': 'application/json' },
      body: JSON.stringify(job),
    });
    expect(await planned.json()).toMatchObject({ code: 'asset_missing' });
  });

  test('that come at the same time share the room that there is', async () => {
    const answers = await Promise.all([7, 8, 9, 10, 11].map((fill) => upload(file(4000, fill))));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 413, 413, 413]);
    expect(await uploads()).toMatchObject({ usedBytes: 8000 });
  });

  test('do not pass by saying nothing of their length', async () => {
    await upload(file(6000, 12));
    const client = await openRaw(service.url);
    const bytes = file(5000, 13);
    client.socket.write(
      `POST /api/assets HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${DOCS}\r\ntransfer-encoding: chunked\r\n` +
        `connection: close\r\n\r\n${bytes.length.toString(16)}\r\n`,
    );
    client.socket.write(Buffer.concat([bytes, Buffer.from('\r\n0\r\n\r\n')]));
    const { text } = await client.closed;
    expect(text).toMatch(/^HTTP\/1\.1 413 .*upload_quota_exceeded/s);
    expect(await uploads()).toMatchObject({ usedBytes: 6000 });
  });

  test('of which one is larger than any may be are told that', async () => {
    const refused = await upload(file(MAX + 1, 14));
    expect(refused.status).toBe(413);
    expect(await refused.json()).toMatchObject({ code: 'payload_too_large' });
  });

  test('are counted by a process that has just started', async () => {
    await upload(file(6000, 15));
    await service.stop();
    service = await startService({ ...ENV, ...place.env });
    expect((await upload(file(6000, 16))).status).toBe(413);
    expect(await uploads()).toMatchObject({ usedBytes: 6000 });
  });
});
