import { createHash } from 'node:crypto';

/** What a key may do: send and cancel jobs, look at them, or run the service. */
export const SCOPES = ['submit', 'read', 'operate'] as const;
export type Scope = (typeof SCOPES)[number];

/** An API key as it is kept: its SHA-256, the project it belongs to, and what it may do there. */
export interface ApiKey {
  projectId: string;
  scopes: readonly Scope[];
  sha256: Buffer;
}

/** Keys are kept and compared as digests: memory holds no key, and all digests have the same length. */
export function hashKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
