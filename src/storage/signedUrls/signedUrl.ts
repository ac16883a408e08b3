import { createHmac, timingSafeEqual } from 'node:crypto';
import { PreviewError } from '../../errors.ts';

/** A secret of at least 32 bytes and the id under which URLs name it. */
export interface SigningKey {
  id: string;
  secret: string;
}

export interface UrlSigner {
  /**
   * A path and query that opens one object under one name until `expiresAt` (RFC 3339). A lasting one is the same for
   * as long as it is half of its life away from its end, so that caches know it again; it lives up to half longer.
   */
  sign(what: { sha256: string; name: string; disposition?: string; lasting?: boolean }): {
    path: string;
    expiresAt: string;
  };
  /** @returns false for any invalid URL: expired, changed, or signed with an unknown key */
  verify(what: { sha256: string; name: string; query: Record<string, unknown> }): boolean;
}

const MIN_SECRET_BYTES = 32;

/** For how long a URL may be valid that is signed now, a lasting one among them. */
export const longestLifeSeconds = (ttlSeconds: number): number => ttlSeconds + lastingStep(ttlSeconds);

const lastingStep = (ttlSeconds: number): number => Math.max(1, Math.floor(ttlSeconds / 2));

/**
 * @param options.keys asked at each call, since they may change; the first signs, all verify, so that a URL that is
 *   still valid outlives the change
 */
export function createUrlSigner(options: {
  keys: () => readonly SigningKey[];
  ttlSeconds: number;
  now?: () => number;
}): UrlSigner {
  const { ttlSeconds, now = Date.now } = options;
  checkKeys(options.keys());
  return {
    sign({ sha256, name, disposition, lasting }) {
      const [first] = checkKeys(options.keys());
      const end = Math.floor(now() / 1000) + ttlSeconds;
      const step = lastingStep(ttlSeconds);
      const expires = lasting ? Math.ceil(end / step) * step : end;
      const query = new URLSearchParams({ expires: String(expires), kid: first.id });
      if (disposition) query.set('disposition', disposition);
      query.set('signature', mac(first, sha256, name, String(expires), disposition ?? ''));
      const path = `/artifacts/${sha256}/${encodeURIComponent(name)}?${query}`;
      return { path, expiresAt: new Date(expires * 1000).toISOString() };
    },
    verify({ sha256, name, query }) {
      const keys = checkKeys(options.keys());
      const [expires, kid, signature, disposition] = ['expires', 'kid', 'signature', 'disposition'].map(
        (field) => query[field] ?? '',
      );
      const known = keys.find((key) => key.id === kid);
      // A wrong URL (an unknown key, a field that is missing or repeated) takes as long as a valid one. Compare the texts, not
      // the decoded bytes: base64url has several spellings of the same bytes, and only one was signed.
      const fields = [sha256, name, String(expires), String(disposition)] as const;
      const expected = Buffer.from(mac(known ?? keys[0], ...fields));
      const given = Buffer.alloc(expected.length);
      const isWhole = given.write(String(signature)) === Buffer.byteLength(String(signature));
      const isText = [expires, signature, disposition].every((field) => typeof field === 'string');
      const matches = timingSafeEqual(given, expected);
      return matches && isWhole && isText && known !== undefined && Number(expires) * 1000 > now();
    },
  };
}

/** @throws PreviewError `config_invalid` */
function checkKeys(keys: readonly SigningKey[]): readonly [SigningKey, ...SigningKey[]] {
  const [first, ...others] = keys;
  if (!first)
    throw new PreviewError('config_invalid', 'PREVIEW_SIGNING_KEYS has no key; set it to kid:secret.');
  for (const key of keys) {
    if (Buffer.byteLength(key.secret) < MIN_SECRET_BYTES) {
      const message = `The secret of signing key "${key.id}" is shorter than ${MIN_SECRET_BYTES} bytes; make a longer one.`;
      throw new PreviewError('config_invalid', message);
    }
  }
  return [first, ...others];
}

/**
 * HMAC-SHA-256 in base64url. GET and HEAD share a signature. Each field is preceded by its length, so that no text can move
 * from one field to the next.
 */
function mac(key: SigningKey, ...fields: string[]): string {
  const hmac = createHmac('sha256', key.secret);
  for (const field of [key.id, 'GET', ...fields]) hmac.update(`${Buffer.byteLength(field)}:${field}`);
  return hmac.digest('base64url');
}
