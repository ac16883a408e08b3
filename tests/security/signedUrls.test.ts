import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createUrlSigner } from '../../src/storage/signedUrls/signedUrl.ts';
import { type Service, smallJob, startService } from '../support/service.ts';

const NEW = { id: 'k2', secret: 'n'.repeat(40) };
const OLD = { id: 'k1', secret: 'o'.repeat(40) };
const TTL_MS = 900_000;

describe('a signed URL', () => {
  let service: Service;
  let good = '';
  let sha256 = '';
  let otherDigest = '';

  beforeAll(async () => {
    const PREVIEW_SIGNING_KEYS = [NEW, OLD].map(({ id, secret }) => `${id}:${secret}`).join(',');
    service = await startService({ PREVIEW_SIGNING_KEYS });
    await service.post('/api/preview/job', smallJob('signed'));
    await service.ended('signed');
    const { body } = await service.get('/api/preview/job/signed/artifact?name=poster.jpg');
    good = String(body.url);
    sha256 = String(body.sha256);
    const other = await service.get('/api/preview/job/signed/artifact?name=manifest.json');
    otherDigest = String(other.body.sha256);
  });

  afterAll(() => service.stop());

  const signedBy = (key: typeof NEW, now = Date.now()): string =>
    createUrlSigner({ keys: () => [key], ttlSeconds: TTL_MS / 1000, now: () => now }).sign({
      sha256,
      name: 'poster.jpg',
    }).path;

  test('opens one file, with a type that no browser guesses, and without a cookie', async () => {
    const { status, headers } = await fetch(service.url + good);
    expect(status).toBe(200);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-type')).toBe('image/jpeg');
    expect(headers.get('content-disposition')).toBe(
      `inline; filename="poster.jpg"; filename*=UTF-8''poster.jpg`,
    );
    expect(headers.get('set-cookie')).toBeNull();
  });

  test('is good, whichever of the keys signed it, for reading only', async () => {
    for (const key of [NEW, OLD]) {
      const url = service.url + signedBy(key);
      expect((await fetch(url)).status).toBe(200);
      expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
      for (const method of ['POST', 'PUT', 'DELETE', 'PATCH'])
        expect((await fetch(url, { method })).status, method).toBe(404);
    }
  });

  /** What is wrong with a URL, and a URL with which it is. */
  const wrong: Record<string, () => string> = {
    'has expired': () => signedBy(NEW, Date.now() - TTL_MS - 1000),
    'has another end': () => good.replace(/expires=\d+/, (text) => `${text}0`),
    'has another signature': () =>
      good.replace(/signature=(.)/, (_, first) => `signature=${first === 'A' ? 'B' : 'A'}`),
    'has a longer signature': () => `${good}A`,
    'has no signature': () => good.replace(/&signature=[^&]+/, ''),
    'has its signature twice': () => `${good}&signature=${/signature=([^&]+)/.exec(good)?.[1]}`,
    'names an unknown key': () => good.replace('kid=k2', 'kid=k9'),
    'names another of the keys': () => good.replace('kid=k2', 'kid=k1'),
    'was signed by a stranger': () => signedBy({ id: 'k2', secret: 'x'.repeat(40) }),
    'names another file that is there': () => good.replace(sha256, otherDigest),
    'names a file that is not there': () => good.replace(sha256, 'a'.repeat(64)),
    'names no digest': () => good.replace(sha256, '..%2f..%2fetc'),
    'gives the file another name': () => good.replace('poster.jpg', 'page.html'),
    'asks for another disposition': () => `${good}&disposition=attachment`,
    'is no signed URL at all': () => `/artifacts/${sha256}/poster.jpg`,
  };
  test.each(Object.keys(wrong))('that %s gets the one answer', async (name) => {
    const response = await fetch(service.url + (wrong[name]?.() ?? ''));
    expect(response.status).toBe(403);
    const { requestId, ...body } = (await response.json()) as Record<string, unknown>;
    expect(requestId).toBe(response.headers.get('x-request-id'));
    expect(body).toEqual({
      type: 'about:blank',
      title: 'The URL has expired, or its signature is not valid.',
      status: 403,
      code: 'invalid_signature',
      detail: 'The URL has expired, or its signature is not valid.',
    });
    expect(response.headers.get('cache-control')).toBeNull();
    expect(response.headers.get('etag')).toBeNull();
  });

  test('that is wrong is answered after the same time, whatever is wrong with it', async () => {
    const names = Object.keys(wrong);
    const times = new Map<string, number[]>(names.map((name) => [name, []]));
    // In turn, so that what else this machine does falls on all of them alike.
    for (let round = 0; round < 60; round++) {
      for (const name of names) {
        const url = service.url + (wrong[name]?.() ?? '');
        const started = performance.now();
        await (await fetch(url)).arrayBuffer();
        times.get(name)?.push(performance.now() - started);
      }
    }
    // The quickest of each: everything else that goes on here can only make it slower.
    const quickest = [...times.values()].map((all) => Math.min(...all));
    expect(Math.max(...quickest) - Math.min(...quickest)).toBeLessThan(1);
  });
});
