import { timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, onRequestAsyncHookHandler, RouteOptions } from 'fastify';
import { type ApiKey, hashKey, type Scope } from '../../apiKey.ts';
import { PreviewError } from '../../errors.ts';
import { problemResponses } from './problemSchema.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The project that the request may touch: its key's; undefined where no keys are configured, and any may be named. */
    project: string | undefined;
    /** An id of the key that does not reveal it; empty if no keys are configured. */
    keyId: string;
    /** What its key may do; undefined where no keys are configured. */
    scopes: readonly Scope[] | undefined;
  }
}

/** What a key needs for a route: calls about the service as a whole are `operate`, the others go by their method. */
export function scopeOf({ method, schema }: Pick<RouteOptions, 'method' | 'schema'>): Scope {
  if (schema?.tags?.includes('operations')) return 'operate';
  return [method].flat().every((name) => name === 'GET' || name === 'HEAD') ? 'read' : 'submit';
}

/**
 * Lets only requests with a key that has the route's scope into the routes of `routes`, before their bodies are read.
 * Without keys everyone comes in: the service then listens on loopback only, see config.ts.
 * @param options.keys asked at each call, since they may change; whether there are any does not
 * @param options.countCall runs when the key is known, where calls are counted
 * @param options.page for a page that a browser opens, which cannot send a bearer header: it asks for a name, which may
 *   be any, and for the key as the password (RFC 7617); all of the page needs this scope
 */
export function requireApiKey(
  routes: FastifyInstance,
  {
    keys,
    countCall,
    page,
  }: {
    keys: () => readonly ApiKey[];
    countCall: onRequestAsyncHookHandler | undefined;
    page?: { scope: Scope };
  },
): void {
  routes.decorateRequest('project', undefined);
  routes.decorateRequest('keyId', '');
  // What each of them may answer before its own code is reached.
  routes.addHook('onRoute', (route) => {
    route.schema = {
      ...route.schema,
      response: {
        ...problemResponses(401, 403, 429, 503),
        ...(route.schema?.response as object | undefined),
      },
    };
  });
  routes.decorateRequest('scopes', undefined);
  if (keys().length === 0) return;
  routes.addHook('onRequest', (request, reply, done) => {
    const { authorization = '' } = request.headers;
    const [, bearer = ''] = /^Bearer (.+)$/i.exec(authorization) ?? [];
    const token = bearer || (page ? passwordOf(authorization) : '');
    const given = hashKey(token);
    // All keys are compared, each in constant time, so that the time of the answer says nothing about them.
    const [key] = keys().filter(({ sha256 }) => timingSafeEqual(sha256, given));
    if (!key) {
      if (page) reply.header('www-authenticate', 'Basic realm="Preview Worker", charset="UTF-8"');
      throw new PreviewError('unauthorized', 'Send a valid API key as "Authorization: Bearer <key>".');
    }
    const { method, schema } = request.routeOptions;
    const scope = page?.scope ?? scopeOf({ method: method ?? request.method, ...(schema ? { schema } : {}) });
    if (!key.scopes.includes(scope))
      throw new PreviewError('forbidden', `This call needs a key with the scope "${scope}".`);
    request.project = key.projectId;
    request.keyId = key.sha256.toString('hex', 0, 12);
    request.scopes = key.scopes;
    done();
  });
  if (countCall) routes.addHook('onRequest', countCall);
}

/** The password of HTTP Basic, as a browser sends it; empty where there is none. */
function passwordOf(authorization: string): string {
  const [, base64 = ''] = /^Basic ([A-Za-z0-9+/]+={0,2})$/i.exec(authorization) ?? [];
  const text = Buffer.from(base64, 'base64').toString();
  return text.slice(text.indexOf(':') + 1);
}
