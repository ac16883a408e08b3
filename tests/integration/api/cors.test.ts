import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Service, smallJob, startService } from '../../support/service.ts';

const EDITOR = 'https://editor.example.org';
const EVIL = 'https://evil.example.net';
const KEY = 'docs-key-0123456789abcdef';

describe('pages of other origins', () => {
  let open: Service;
  let closed: Service;

  beforeAll(async () => {
    open = await startService({ PREVIEW_CORS_ORIGINS: EDITOR, PREVIEW_API_KEYS: `docs:${KEY}` });
    closed = await startService();
  });
  afterAll(() => Promise.all([open.stop(), closed.stop()]));

  const preflight = (service: Service, origin: string, path = '/api/preview/job', method = 'POST') =>
    fetch(service.url + path, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': method,
        'access-control-request-headers': 'authorization,content-type,x-request-id',
      },
    });
  const allowed = (response: Response): string | null => response.headers.get('access-control-allow-origin');

  it('are let in where their origin is named: preflight without a key, then the call', async () => {
    for (const [path, method] of [
      ['/api/preview/job', 'POST'],
      ['/api/preview/job/a', 'DELETE'],
      ['/api/preview/events', 'GET'],
      ['/api/assets', 'POST'],
    ]) {
      const answer = await preflight(open, EDITOR, path, method);
      expect(answer.status).toBe(204);
      expect(allowed(answer)).toBe(EDITOR);
      expect(answer.headers.get('access-control-allow-methods')).toContain(method);
      expect(answer.headers.get('access-control-allow-headers')).toContain('authorization');
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    }
    const response = await fetch(`${open.url}/api/preview/job`, {
      method: 'POST',
      headers: { origin: EDITOR, authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify(smallJob('theirs', {}, { projectId: 'docs', dryRun: true })),
    });
    expect(response.status).toBe(202);
    expect(allowed(response)).toBe(EDITOR);
    expect(response.headers.get('vary')).toContain('Origin');
    for (const name of ['location', 'retry-after', 'x-request-id']) {
      expect(response.headers.get('access-control-expose-headers')).toContain(name);
    }
  });

  it('are told what was wrong, too', async () => {
    const response = await fetch(`${open.url}/api/preview/jobs`, { headers: { origin: EDITOR } });
    expect(response.status).toBe(401);
    expect(allowed(response)).toBe(EDITOR);
  });

  it('are not let in under another origin, and nowhere without the setting', async () => {
    expect(allowed(await preflight(open, EVIL))).toBeNull();
    expect(allowed(await fetch(`${open.url}/livez`, { headers: { origin: EVIL } }))).toBeNull();
    const answer = await preflight(closed, EDITOR);
    expect(answer.status).toBe(404);
    expect(allowed(answer)).toBeNull();
    expect(allowed(await fetch(`${closed.url}/livez`, { headers: { origin: EDITOR } }))).toBeNull();
  });
});
