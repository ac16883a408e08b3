import { timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { type ApiKey, hashKey } from '../config.ts';
import { PreviewError } from '../errors.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The project that the request may touch: its key's; undefined where no keys are configured, and any may be named. */
    project: string | undefined;
  }
}

/**
 * Lets only requests with a key into the routes of `scope`, before their bodies are read. Without keys everyone comes
 * in: the service then listens on loopback only, see config.ts.
 */
export function requireApiKey(scope: FastifyInstance, keys: readonly ApiKey[]): void {
  scope.decorateRequest('project', undefined);
  if (keys.length === 0) return;
  scope.addHook('onRequest', async (request) => {
    const [, token = ''] = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '') ?? [];
    const given = hashKey(token);
    // All keys are compared, each in constant time: the answer's time says nothing about which are near.
    const [key] = keys.filter(({ sha256 }) => timingSafeEqual(sha256, given));
    if (!key)
      throw new PreviewError('unauthorized', 'Send a valid API key as "Authorization: Bearer <key>".');
    request.project = key.projectId;
  });
}
