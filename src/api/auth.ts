import { timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { type ApiKey, hashKey } from '../config.ts';
import { PreviewError } from '../errors.ts';

/**
 * The project that a request may touch: its key's; undefined where no keys are configured, and any may be named.
 * @throws PreviewError `unauthorized`
 */
export type Authorize = (request: FastifyRequest) => string | undefined;

export function createAuthorize(keys: readonly ApiKey[]): Authorize {
  return (request) => {
    if (keys.length === 0) return undefined;
    const [, token = ''] = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '') ?? [];
    const given = hashKey(token);
    // All keys are compared, each in constant time: the answer's time says nothing about which are near.
    const matching = keys.filter((key) => timingSafeEqual(key.sha256, given));
    const [key] = matching;
    if (!key) throw new PreviewError('unauthorized', 'Send a valid API key as "Authorization: Bearer …".');
    return key.projectId;
  };
}
