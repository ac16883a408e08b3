import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Service, startService } from '../../support/service.ts';

/** All that a browser loads before it shows a video, compressed. */
const MOST_BYTES = 60_000;
const ASSETS = 'dist/studio/assets';

let service: Service;

beforeAll(async () => {
  service = await startService();
});

afterAll(() => service.stop());

describe('the studio', () => {
  it('is small: at most 60 kB before the player is loaded', () => {
    const files = readdirSync(ASSETS).filter((name) => /\.(js|css|svg)$/.test(name) && !/^hls-/.test(name));
    const sizes = files.map((name) => gzipSync(readFileSync(`${ASSETS}/${name}`)).length);
    const page = gzipSync(readFileSync('dist/studio/index.html')).length;
    const total = sizes.reduce((sum, bytes) => sum + bytes, page);
    process.stdout.write(`studio: ${files.length} files, ${total} bytes compressed\n`);
    expect(files.length).toBeGreaterThan(2);
    expect(total).toBeLessThan(MOST_BYTES);
  });

  it.each(['/', '/jobs', '/jobs/some-job?projectId=p', '/queue'])(
    'is a page at %s that is asked for each time',
    async (path) => {
      const { status, headers, body } = await service.get(path);
      expect(status).toBe(200);
      expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(headers.get('cache-control')).toBe('no-cache');
      expect(String(body.text)).toContain('<div id="studio">');
    },
  );

  it('allows nothing inline and no other host', async () => {
    const { headers, body } = await service.get('/');
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toMatch(/unsafe|\*|https?:|data:/);
    expect(String(body.text)).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/);
  });

  it('has files that never change under their name, compressed for those who ask', async () => {
    const [, script = ''] = /src="([^"]+\.js)"/.exec(readFileSync('dist/studio/index.html', 'utf8')) ?? [];
    expect(script).toMatch(/-[\w-]{8}\.js$/);
    const answer = await fetch(service.url + script, { headers: { 'accept-encoding': 'gzip' } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    expect(await answer.text()).toBe(readFileSync(`dist${script}`, 'utf8'));
  });

  it('answers an address that is none with a problem document', async () => {
    for (const path of ['/nothing', '/studio/assets/none.js', '/studio/assets/..%2findex.html', '/studio/']) {
      const { status, body } = await service.get(path);
      expect(status, path).toBe(404);
      expect(body.code).toBe('not_found');
    }
  });

  it('is told what may be done without a key', async () => {
    const { body } = await service.get('/api/preview/access');
    expect(body).toMatchObject({ scopes: ['submit', 'read', 'operate'] });
    expect(body).not.toHaveProperty('project');
  });
});
