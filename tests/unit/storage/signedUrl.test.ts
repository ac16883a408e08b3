import { describe, expect, it } from 'vitest';
import { createUrlSigner, longestLifeSeconds } from '../../../src/storage/signedUrls/signedUrl.ts';

const key = (id: string) => ({ id, secret: `${id}-`.padEnd(40, 'x') });
const sha256 = 'a'.repeat(64);
const open = (path: string) => {
  const url = new URL(path, 'http://host');
  const [, , digest = '', name = ''] = url.pathname.split('/');
  return { sha256: digest, name: decodeURIComponent(name), query: Object.fromEntries(url.searchParams) };
};

describe('a signed URL', () => {
  const signer = createUrlSigner({
    keys: () => [key('new'), key('old')],
    ttlSeconds: 60,
    now: () => 1_000_000,
  });
  const { path, expiresAt } = signer.sign({ sha256, name: 'pre view.mp4', disposition: 'attachment' });

  it('opens what it was made for, until it expires', () => {
    expect(signer.verify(open(path))).toBe(true);
    expect(expiresAt).toBe(new Date(1_060_000).toISOString());
    const later = createUrlSigner({ keys: () => [key('new')], ttlSeconds: 60, now: () => 1_060_001 });
    expect(later.verify(open(path))).toBe(false);
  });

  it('is valid no longer than it is said, a lasting one too', () => {
    for (const ttlSeconds of [1, 900, 604_800]) {
      for (let now = 0; now < ttlSeconds * 1000; now += Math.ceil(ttlSeconds * 7.3)) {
        const signer = createUrlSigner({ keys: () => [key('only')], ttlSeconds, now: () => now });
        const { expiresAt } = signer.sign({ sha256, name: 'n', lasting: true });
        const life = (Date.parse(expiresAt) - now) / 1000;
        expect(life).toBeLessThanOrEqual(longestLifeSeconds(ttlSeconds));
        expect(life).toBeGreaterThanOrEqual(ttlSeconds - 1);
      }
    }
  });

  it('opens nothing after any change', () => {
    const good = open(path);
    expect(signer.verify({ ...good, sha256: 'b'.repeat(64) })).toBe(false);
    expect(signer.verify({ ...good, name: 'other.mp4' })).toBe(false);
    for (const field of ['expires', 'kid', 'disposition', 'signature']) {
      expect(signer.verify({ ...good, query: { ...good.query, [field]: '99999999999' } })).toBe(false);
      const { [field]: _, ...without } = good.query;
      expect(signer.verify({ ...good, query: without })).toBe(false);
      expect(signer.verify({ ...good, query: { ...good.query, [field]: [good.query[field]] } })).toBe(false);
    }
  });

  it('opens nothing with its signature in another spelling of the same bytes', () => {
    const good = open(path);
    const signature = good.query.signature ?? '';
    const bytes = Buffer.from(signature, 'base64url');
    const lastLetters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'];
    const others = [
      `${signature}=`,
      `${signature} `,
      bytes.toString('base64'),
      ...lastLetters.map((letter) => signature.slice(0, -1) + letter),
    ].filter((text) => text !== signature && Buffer.from(text, 'base64url').equals(bytes));
    expect(others.length).toBeGreaterThan(2);
    for (const other of others) {
      expect(signer.verify({ ...good, query: { ...good.query, signature: other } })).toBe(false);
    }
  });

  it('opens nothing where letters move from one field to the next', () => {
    const { query, ...good } = open(signer.sign({ sha256, name: 'a1' }).path);
    expect(signer.verify({ ...good, query })).toBe(true);
    expect(signer.verify({ ...good, name: 'a', query: { ...query, expires: `1${query.expires}` } })).toBe(
      false,
    );
  });

  it('opens nothing without a query', () => {
    expect(signer.verify({ ...open(path), query: {} })).toBe(false);
  });

  it('stays valid while keys are rotated, and no longer', () => {
    const rotated = createUrlSigner({
      keys: () => [key('newest'), key('new')],
      ttlSeconds: 60,
      now: () => 1_000_000,
    });
    const replaced = createUrlSigner({ keys: () => [key('newest')], ttlSeconds: 60, now: () => 1_000_000 });
    expect(rotated.verify(open(path))).toBe(true);
    expect(replaced.verify(open(path))).toBe(false);
  });

  it('is not opened by another key of the same id', () => {
    const stranger = createUrlSigner({
      keys: () => [{ id: 'new', secret: 'y'.repeat(40) }],
      ttlSeconds: 60,
      now: () => 1_000_000,
    });
    expect(stranger.verify(open(path))).toBe(false);
  });

  it('is not made without a key', () => {
    expect(() => createUrlSigner({ keys: () => [], ttlSeconds: 1 })).toThrow(/has no key/);
  });

  it('is not made with a short secret', () => {
    expect(() => createUrlSigner({ keys: () => [{ id: 'k', secret: 'short' }], ttlSeconds: 1 })).toThrow(
      /shorter than 32/,
    );
  });
});
