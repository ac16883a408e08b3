import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Service, smallJob, startService } from '../../support/service.ts';

const MAX_BYTES = 2_000_000;

describe('files over HTTP', () => {
  let service: Service;

  beforeAll(async () => {
    service = await startService({ PREVIEW_UPLOAD_MAX_BYTES: String(MAX_BYTES) });
  });

  afterAll(() => service.stop());

  describe('POST /api/assets', () => {
    test.each(['jpeg', 'png', 'webp', 'avif'] as const)(
      'takes a picture as %s by what its bytes say',
      async (format) => {
        const bytes = await picture(format);
        expect(await service.upload(bytes)).toMatchObject({
          status: 201,
          body: { sha256: sha256(bytes), bytes: bytes.length, mediaType: `image/${format}` },
        });
      },
    );

    test('takes a file whose header says JSON, because only its bytes count', async () => {
      const response = await fetch(`${service.url}/api/assets`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: Buffer.from(await picture('jpeg')),
      });
      expect(response.status).toBe(201);
    });

    test.each([
      ['an SVG drawing', '<svg xmlns="http://www.w3.org/2000/svg"></svg>'],
      ['plain text', 'Not a picture, whatever its name says.'],
      ['an HLS playlist', '#EXTM3U\nhttp://127.0.0.1/secret'],
    ])('refuses %s by its name', async (name, text) => {
      const { status, body } = await service.upload(Buffer.from(text));
      expect(status).toBe(415);
      expect(body).toMatchObject({ code: 'unsupported_media_type', detail: expect.stringContaining(name) });
    });

    test('tells the sender of a long refused file why, instead of breaking the connection', async () => {
      expect(await service.upload(Buffer.alloc(MAX_BYTES))).toMatchObject({ status: 415 });
    });

    test('refuses an empty body', async () => {
      expect(await service.upload(Buffer.alloc(0))).toMatchObject({
        status: 422,
        body: { code: 'asset_empty' },
      });
    });

    test.each([true, false])('refuses more bytes than the limit (length told before: %s)', async (told) => {
      const bytes = Buffer.concat([await picture('jpeg'), Buffer.alloc(MAX_BYTES)]);
      const upload = request(`${service.url}/api/assets`, {
        method: 'POST',
        headers: told ? { 'content-length': bytes.length } : { 'transfer-encoding': 'chunked' },
      });
      upload.end(bytes);
      const [response] = await once(upload, 'response');
      expect(response.statusCode).toBe(413);
      const text = Buffer.concat(await response.toArray()).toString();
      expect(JSON.parse(text)).toMatchObject({
        code: 'payload_too_large',
        detail: expect.stringContaining(String(MAX_BYTES)),
      });
      // What was refused is not kept.
      expect(
        await service.post('/api/preview/job', jobShowing(`too-large-${told}`, sha256(bytes))),
      ).toMatchObject({
        status: 202,
      });
      expect(await service.ended(`too-large-${told}`)).toMatchObject({ error: { code: 'asset_missing' } });
    });

    test('keeps nothing of an upload that was cut off, and goes on', async () => {
      const bytes = await picture('png');
      const upload = request(`${service.url}/api/assets`, {
        method: 'POST',
        headers: { 'content-length': bytes.length },
      });
      upload.on('error', () => undefined);
      upload.write(bytes.subarray(0, bytes.length - 10), () => upload.destroy());
      await new Promise((resolve) => upload.once('close', resolve));
      await service.post('/api/preview/job', jobShowing('cut-off', sha256(bytes)));
      expect(await service.ended('cut-off')).toMatchObject({ error: { code: 'asset_missing' } });
      expect((await service.upload(bytes)).status).toBe(201);
    });
  });

  describe('GET /artifacts/:sha256/:name', () => {
    let url = '';
    let digest = '';
    let bytes = Buffer.alloc(0);

    beforeAll(async () => {
      await service.post('/api/preview/job', smallJob('files'));
      await service.ended('files');
      const { body } = await service.get('/api/preview/job/files/artifact?name=preview.mp4');
      url = service.url + String(body.url);
      digest = String(body.sha256);
      bytes = Buffer.from(await (await fetch(url)).arrayBuffer());
    });

    const get = async (headers: Record<string, string> = {}, method = 'GET') => {
      const response = await fetch(url, { headers, method });
      return {
        status: response.status,
        headers: response.headers,
        bytes: Buffer.from(await response.arrayBuffer()),
      };
    };

    test('answers the whole file with all that a player and a cache want to know', async () => {
      const { status, headers, bytes } = await get();
      expect(status).toBe(200);
      expect(sha256(bytes)).toBe(digest);
      expect(Object.fromEntries(headers)).toMatchObject({
        'content-type': 'video/mp4',
        'content-length': String(bytes.length),
        'content-disposition': `inline; filename="preview.mp4"; filename*=UTF-8''preview.mp4`,
        'accept-ranges': 'bytes',
        'cache-control': 'private, max-age=31536000, immutable',
        'x-content-type-options': 'nosniff',
        etag: `"${digest}"`,
      });
    });

    test('HEAD answers the same headers without the file, whatever range it names', async () => {
      const { status, headers, bytes: none } = await get({ range: 'bytes=0-9' }, 'HEAD');
      expect(status).toBe(200);
      expect(headers.get('content-length')).toBe(String(bytes.length));
      expect(none).toHaveLength(0);
    });

    test.each([
      ['bytes=0-9', 0, 10],
      ['bytes=1000-', 1000, undefined],
      ['bytes=-500', -500, undefined],
    ])('Range: %s answers 206 with those bytes', async (range, start, end) => {
      const answer = await get({ range });
      expect(answer.status).toBe(206);
      expect(answer.bytes.equals(bytes.subarray(start, end))).toBe(true);
      const first = start < 0 ? bytes.length + start : start;
      expect(answer.headers.get('content-range')).toBe(
        `bytes ${first}-${first + answer.bytes.length - 1}/${bytes.length}`,
      );
    });

    test('a range behind the end answers 416 with the length, and is not to be cached', async () => {
      const answer = await get({ range: `bytes=${bytes.length}-` });
      expect(answer.status).toBe(416);
      expect(answer.headers.get('content-range')).toBe(`bytes */${bytes.length}`);
      expect(answer.headers.get('cache-control')).toBeNull();
      expect(JSON.parse(answer.bytes.toString())).toMatchObject({ code: 'range_not_satisfiable' });
    });

    test('If-Range answers the range where the file is still the same, and else all of it', async () => {
      expect((await get({ range: 'bytes=0-9', 'if-range': `"${digest}"` })).status).toBe(206);
      expect((await get({ range: 'bytes=0-9', 'if-range': '"another"' })).status).toBe(200);
    });

    test.each(['"DIGEST"', 'W/"DIGEST"', '"other", "DIGEST"', '*'])(
      'If-None-Match: %s answers 304 without the file',
      async (header) => {
        const answer = await get({ 'if-none-match': header.replace('DIGEST', digest), range: 'bytes=0-9' });
        expect(answer.status).toBe(304);
        expect(answer.headers.get('etag')).toBe(`"${digest}"`);
        expect(answer.bytes).toHaveLength(0);
      },
    );

    test.each([
      ['another name', (text: string) => text.replace('preview.mp4', 'poster.jpg')],
      ['another file', (text: string) => text.replace(/[0-9a-f]{64}/, 'a'.repeat(64))],
      [
        'a later end',
        (text: string) => text.replace(/expires=(\d+)/, (_, at) => `expires=${Number(at) + 1}`),
      ],
      ['no signature', (text: string) => text.replace(/\?.*/, '')],
      ['an added disposition', (text: string) => `${text}&disposition=attachment`],
      ['a signature twice', (text: string) => `${text}&signature=x`],
    ])('refuses a URL with %s', async (_, change) => {
      const response = await fetch(change(url));
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({ code: 'invalid_signature' });
    });
  });
});

/** Noise, so that it is longer than one packet. */
function picture(format: 'jpeg' | 'png' | 'webp' | 'avif'): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const;
  return sharp({ create: { width: 320, height: 240, channels: 3, background: '#39a', noise } })
    .toFormat(format)
    .toBuffer();
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const jobShowing = (jobId: string, upload: string) =>
  smallJob(jobId, { steps: [{ asset: 'a' }], assets: [{ id: 'a', type: 'image', upload }] });
