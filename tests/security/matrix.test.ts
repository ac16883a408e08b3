import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Service, smallJob, startService } from '../support/service.ts';

/** Every call of the API, and the scope that its key needs; `open` needs no key. A new call fails until it is listed. */
const CALLS: Record<string, 'open' | 'submit' | 'read' | 'operate'> = {
  'GET /livez': 'open',
  'GET /readyz': 'open',
  'GET /metrics': 'open',
  'GET /artifacts/{sha256}/{name}': 'open',
  'POST /api/preview/job': 'submit',
  'POST /api/preview/validate': 'submit',
  'POST /api/assets': 'submit',
  'GET /api/assets': 'read',
  'DELETE /api/assets/{sha256}': 'submit',
  'DELETE /api/preview/job/{jobId}': 'submit',
  'GET /api/preview/jobs': 'read',
  'GET /api/preview/events': 'read',
  'GET /api/preview/job/{jobId}': 'read',
  'GET /api/preview/job/{jobId}/history': 'read',
  'GET /api/preview/access': 'read',
  'GET /api/preview/job/{jobId}/status': 'read',
  'GET /api/preview/job/{jobId}/artifact': 'read',
  'GET /api/preview/job/{jobId}/events': 'read',
  'GET /api/preview/job/{jobId}/deliveries': 'read',
  'GET /api/preview/job/{jobId}/stream.m3u8': 'read',
  'GET /api/preview/job/{jobId}/stream/audio.m3u8': 'read',
  'GET /api/preview/job/{jobId}/stream/video.m3u8': 'read',
  'GET /api/preview/queue/metrics': 'operate',
  'GET /api/preview/worker/health': 'operate',
  'GET /api/preview/dead-letter': 'operate',
  'GET /api/preview/dead-letter/{jobId}': 'operate',
  'POST /api/preview/dead-letter/{jobId}/replay': 'operate',
  'DELETE /api/preview/dead-letter/{jobId}': 'operate',
};

const SCOPES = ['submit', 'read', 'operate'] as const;
const keyWith = (scope: string): string => `docs-${scope}-key-0123456789abcdef`;
const SHOP = 'shop-key-0123456789abcdef';

describe('each call of the API', () => {
  let service: Service;

  beforeAll(async () => {
    const keys = SCOPES.map((scope) => `docs/${scope}:${keyWith(scope)}`);
    service = await startService({ PREVIEW_API_KEYS: [...keys, `shop:${SHOP}`].join(',') });
    const posted = await fetch(`${service.url}/api/preview/job`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${keyWith('submit')}` },
      body: JSON.stringify({ ...smallJob('mine'), projectId: 'docs' }),
    });
    expect(posted.status).toBe(202);
    await eventually(async () => {
      const { status } = (await (await call('GET /api/preview/job/mine/status', keyWith('read'))).json()) as {
        status: string;
      };
      return status === 'completed' || undefined;
    }, 'the job');
  });

  afterAll(() => service.stop());

  /** Without a body, so that a call that is let in changes nothing but by its address. */
  async function call(name: string, key?: string): Promise<Response> {
    const [method = '', path = ''] = name.split(' ');
    const url = service.url + path.replace('{jobId}', 'mine').replace(/\{\w+\}/g, 'x');
    const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const response = await fetch(url, { method, headers });
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('set-cookie')).toBeNull();
    return response;
  }

  const codeOf = async (response: Response): Promise<string> =>
    ((await response.json()) as { code: string }).code;

  it('is listed here', async () => {
    const { paths } = (await (await call('GET /openapi.json')).json()) as {
      paths: Record<string, object>;
    };
    const calls = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(calls.filter((name) => !name.startsWith('HEAD')).sort()).toEqual(Object.keys(CALLS).sort());
  });

  it('is described with what it says to who may not come in', async () => {
    const { paths } = (await (await call('GET /openapi.json')).json()) as {
      paths: Record<string, Record<string, { responses: object }>>;
    };
    for (const [name] of guarded) {
      const [method = '', path = ''] = name.split(' ');
      const statuses = Object.keys(paths[path]?.[method.toLowerCase()]?.responses ?? {});
      expect(statuses, name).toEqual(expect.arrayContaining(['401', '403', '429']));
    }
  });

  const guarded = Object.entries(CALLS).filter(([, scope]) => scope !== 'open');

  it.each(guarded)('%s is refused without a key and with a wrong one', async (name) => {
    for (const key of [undefined, `${SHOP}x`]) {
      const response = await call(name, key);
      expect(response.status).toBe(401);
      expect(await codeOf(response)).toBe('unauthorized');
    }
  });

  it.each(guarded.filter(([name]) => name.startsWith('GET')))(
    '%s is refused without a key also where only its headers are asked for',
    async (name) => {
      const head = name.replace('GET', 'HEAD');
      for (const key of [undefined, `${SHOP}x`]) expect((await call(head, key)).status).toBe(401);
    },
  );

  it.each(guarded)('%s is refused to keys without the scope "%s"', async (name, needed) => {
    for (const scope of SCOPES.filter((scope) => scope !== needed)) {
      const response = await call(name, keyWith(scope));
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({
        code: 'forbidden',
        detail: expect.stringContaining(needed),
      });
    }
  });

  it.each(guarded.filter(([name]) => name.includes('{jobId}')))(
    '%s says to a key of another project what it says of a job that does not exist',
    async (name) => {
      const [theirs, none] = await Promise.all([
        call(name, SHOP),
        call(name.replace('{jobId}', 'none'), SHOP),
      ]);
      expect(theirs.status).toBe(404);
      expect(none.status).toBe(404);
      expect(await codeOf(theirs)).toBe(await codeOf(none));
    },
  );

  it.each(guarded)('%s lets a key with the scope "%s" in', async (name, needed) => {
    const response = await call(name, keyWith(needed));
    expect([401, 403]).not.toContain(response.status);
    expect(response.status).toBeLessThan(500);
    await response.body?.cancel();
  });
});
