import { canonicalJson } from './canonicalJson.ts';
import type { PreviewJob } from './previewJob.types.ts';
import { sha256Hex } from './sha256.ts';

/**
 * The SHA-256, in hex, of what a job asks for. Two jobs of one id are the same job exactly where their
 * fingerprints are equal. What a sender writes anew each time it sends (`requestId`, `attempts`, `createdAt`,
 * `updatedAt`) does not count.
 */
export function fingerprint(job: PreviewJob): string {
  const { requestId: _1, attempts: _2, createdAt: _3, updatedAt: _4, ...asked } = job;
  return sha256Hex(canonicalJson(asked));
}
