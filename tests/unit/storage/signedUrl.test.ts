import { describe, expect, it } from 'vitest';
import { createUrlSigner } from '../../../src/storage/signedUrl.ts';

const key = (id: string) => ({ id, secret: `${id}-`.padEnd(40, 'x') });
const sha256 = 'a'.repeat(64);
const open = (path: string) => {
  const url = new URL(path, 'http://host');
  const [, , digest = '', name = ''] = url.pathname.split('/');
  return { sha256: digest, name: decodeURIComponent(name), query: Object.fromEntries(url.searchParams) };
};

describe('a signed URL', () => {
  const signer = createUrlSigner({ keys: [key('new'), key('old')], ttlSeconds: 60, now: () => 1_000_000 });
  const { path, expiresAt } = signer.sign({ sha256, name: 'pre view.mp4', disposition: 'attachment' });

  it('opens what it was made for, until it expires', () => {
    expect(signer.verify(open(path))).toBe(true);
    expect(expiresAt).toBe(new Date(1_060_000).toISOString());
    const later = createUrlSigner({ keys: [key('new')], ttlSeconds: 60, now: () => 1_060_001 });
    expect(later.verify(open(path))).toBe(false);
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

  it('stays valid while keys are rotated, and no longer', () => {
    const rotated = createUrlSigner({
      keys: [key('newest'), key('new')],
      ttlSeconds: 60,
      now: () => 1_000_000,
    });
    const replaced = createUrlSigner({ keys: [key('newest')], ttlSeconds: 60, now: () => 1_000_000 });
    expect(rotated.verify(open(path))).toBe(true);
    expect(replaced.verify(open(path))).toBe(false);
  });

  it('is not made with a short secret', () => {
    expect(() => createUrlSigner({ keys: [{ id: 'k', secret: 'short' }], ttlSeconds: 1 })).toThrow(
      /shorter than 32/,
    );
  });
});
