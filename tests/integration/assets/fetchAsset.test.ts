import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { Agent } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createEgressAgent } from '../../../src/assets/egress.ts';
import { createAssetFetcher } from '../../../src/assets/fetchAsset.ts';
import type { HostLists } from '../../../src/assets/hostLists.ts';
import { PreviewError } from '../../../src/errors.ts';
import { type AssetServer, startAssetServer } from './assetServer.ts';

const never = new AbortController().signal;
const agents: Agent[] = [];

interface Limits {
  idleMs?: number;
  totalMs?: number;
}

function fetcherTo(
  allowPrivate: string[],
  { idleMs = 5000, totalMs = 10_000, ...lists }: Limits & Partial<HostLists> = {},
) {
  const agent = createEgressAgent({ allowPrivate, ...lists }, { connectMs: 2000, idleMs });
  agents.push(agent);
  const fetcher = createAssetFetcher(agent, totalMs);
  return async (url: string, signal = never): Promise<string> => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of await fetcher(url, signal)) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };
}

afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.destroy()));
});

describe('fetching an asset', () => {
  let server: AssetServer;
  beforeAll(async () => {
    server = await startAssetServer(async ({ url = '', headers }, response) => {
      const [, what = '', value = ''] = url.split('?')[0]?.split('/') ?? [];
      if (what === 'file') response.end('the bytes');
      if (what === 'encoding') response.end(headers['accept-encoding']);
      if (what === 'bomb')
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(10_000_000)));
      if (what === 'status') response.writeHead(Number(value)).end('no');
      if (what === 'redirect') {
        const location = Number(value) > 1 ? `/redirect/${Number(value) - 1}` : '/file';
        response.writeHead(302, { location }).end();
      }
      if (what === 'leave') response.writeHead(302, { location: decodeURIComponent(value) }).end();
      if (what === 'nowhere') response.writeHead(302).end();
      if (what === 'short') {
        response.writeHead(200, { 'content-length': '100' }).write('half of it');
        await wait(50);
        response.destroy();
      }
      if (what === 'stall') response.writeHead(200, { 'content-length': '100' }).write('half of it');
      if (what === 'trickle') {
        response.writeHead(200);
        while (response.writable) {
          response.write('.');
          await wait(20);
        }
      }
    });
  });
  afterAll(() => server.close());

  const LOOPBACK = ['127.0.0.1/32'];

  it('gives the bytes of a file, as they are', async () => {
    const fetch = fetcherTo(LOOPBACK);
    expect(await fetch(`${server.url}/file`)).toBe('the bytes');
    expect(await fetch(`${server.url}/encoding`)).toBe('identity');
  });

  it('takes no compressed answer, which nobody asked for', async () => {
    await expect(fetcherTo(LOOPBACK)(`${server.url}/bomb`)).rejects.toMatchObject({
      code: 'asset_type_unsupported',
      message: expect.stringContaining('Content-Encoding gzip'),
    });
  });

  it('connects to no host that the lists do not allow, also behind a redirect', async () => {
    const before = server.connections();
    const denied = fetcherTo(LOOPBACK, { denyHosts: ['127.0.0.1'] });
    await expect(denied(`${server.url}/file`)).rejects.toMatchObject({ code: 'asset_address_refused' });
    await expect(denied(`http://2130706433:${server.port}/file`)).rejects.toMatchObject({
      message: expect.stringContaining('does not allow this host'),
    });
    const others = fetcherTo(LOOPBACK, { allowHosts: ['cdn.example.org'] });
    await expect(others(`${server.url}/file`)).rejects.toMatchObject({ code: 'asset_address_refused' });
    expect(server.connections()).toBe(before);

    const allowed = fetcherTo(LOOPBACK, { allowHosts: ['127.0.0.1'] });
    expect(await allowed(`${server.url}/file`)).toBe('the bytes');
    const elsewhere = encodeURIComponent(`http://localhost:${server.port}/file`);
    await expect(allowed(`${server.url}/leave/${elsewhere}`)).rejects.toMatchObject({
      message: expect.stringContaining('does not allow this host'),
    });
  });

  it('looks a name up, and connects to the address that was checked', async () => {
    // Where localhost has ::1 as well, all of its addresses must be allowed.
    const fetch = fetcherTo([...LOOPBACK, '::1/128']);
    expect(await fetch(`http://localhost:${server.port}/file`)).toBe('the bytes');
  });

  it('follows three redirects and no more', async () => {
    const fetch = fetcherTo(LOOPBACK);
    expect(await fetch(`${server.url}/redirect/3`)).toBe('the bytes');
    await expect(fetch(`${server.url}/redirect/4`)).rejects.toMatchObject({
      code: 'asset_unreachable',
      message: expect.stringContaining('3 redirects'),
    });
  });

  it('uses no proxy that the environment names', async () => {
    vi.stubEnv('http_proxy', 'http://127.0.0.1:1');
    vi.stubEnv('HTTP_PROXY', 'http://127.0.0.1:1');
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    try {
      expect(await fetcherTo(LOOPBACK)(`${server.url}/file`)).toBe('the bytes');
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it.each([
    ['status/404', 'asset_missing'],
    ['status/410', 'asset_missing'],
    ['status/403', 'asset_unreachable'],
    ['status/429', 'asset_unreachable'],
    ['status/500', 'asset_unreachable'],
    ['status/503', 'asset_unreachable'],
    ['status/204', 'asset_unreachable'],
    ['nowhere', 'asset_unreachable'],
    ['short', 'asset_unreachable'],
  ])('answers /%s with %s', async (path, code) => {
    await expect(fetcherTo(LOOPBACK)(`${server.url}/${path}`)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(`/${path}`),
    });
  });

  it('gives up on a server that falls silent', async () => {
    const fetch = fetcherTo(LOOPBACK, { idleMs: 200 });
    await expect(fetch(`${server.url}/stall`)).rejects.toMatchObject({ code: 'asset_unreachable' });
  });

  it('gives up on a server that never comes to an end', async () => {
    const fetch = fetcherTo(LOOPBACK, { totalMs: 300 });
    await expect(fetch(`${server.url}/trickle`)).rejects.toMatchObject({ code: 'asset_unreachable' });
  });

  it('says that a server cannot be reached where nobody listens, and where the name is unknown', async () => {
    const closed = await startAssetServer(() => undefined);
    await closed.close();
    await expect(fetcherTo(LOOPBACK)(closed.url)).rejects.toMatchObject({ code: 'asset_unreachable' });
    await expect(fetcherTo(LOOPBACK)('http://nobody.invalid/')).rejects.toMatchObject({
      code: 'asset_unreachable',
    });
  });

  it('stops with the reason of whoever stopped it', async () => {
    const control = new AbortController();
    const reason = new PreviewError('cancelled');
    const fetched = fetcherTo(LOOPBACK)(`${server.url}/stall`, control.signal);
    control.abort(reason);
    await expect(fetched).rejects.toBe(reason);
  });

  it('shows neither user info nor query in what it says', async () => {
    const url = `http://user:secret@127.0.0.1:${server.port}/status/500?token=secret#secret`;
    const error = await fetcherTo(LOOPBACK)(url).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'asset_unreachable' });
    expect(String(error)).not.toMatch(/secret|user/);
  });

  describe('never leads into a private network', () => {
    it.each([
      '127.0.0.1',
      '127.0.0.1.',
      '127.1',
      '127.0.1',
      '0x7f.1',
      '0x7f000001',
      '2130706433',
      '0177.0.0.1',
      '017700000001',
      '%31%32%37.0.0.1',
      '127。0。0。1',
      '①②⑦.0.0.1',
      '0',
      '0.0.0.0',
      'localhost',
      'LOCALHOST',
      '[::]',
      '[::1]',
      '[0:0:0:0:0:0:0:1]',
      '[::127.0.0.1]',
      '[::7f00:1]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[::ffff:0:127.0.0.1]',
      '[64:ff9b::127.0.0.1]',
      '[64:ff9b:1::127.0.0.1]',
      '[2002:7f00:1::]',
      '[2001:0:7f00:1::]',
      '[fe80::1]',
      '[fd00::1]',
      'example.com@127.0.0.1',
      'example.com:80@127.0.0.1',
      '169.254.169.254',
      '10.0.0.1',
      '100.100.100.200',
    ])('by the host %s', async (host) => {
      const before = server.connections();
      await expect(fetcherTo([])(`http://${host}:${server.port}/file`)).rejects.toMatchObject({
        code: 'asset_address_refused',
      });
      await expect(fetcherTo([])(`https://${host}:${server.port}/file`)).rejects.toMatchObject({
        code: 'asset_address_refused',
      });
      expect(server.connections()).toBe(before);
    });

    it('by a name that some resolvers know and some do not', async () => {
      const before = server.connections();
      await expect(fetcherTo([])(`http://localhost.:${server.port}/file`)).rejects.toBeInstanceOf(
        PreviewError,
      );
      expect(server.connections()).toBe(before);
    });

    it('by a redirect', async () => {
      const inner = await startAssetServer((_, response) => response.end('inside'), '127.0.0.2');
      try {
        const fetch = fetcherTo(LOOPBACK);
        const targets = [inner.url, 'http://[::1]/', 'http://169.254.169.254/', '//10.0.0.1/'];
        for (const target of targets) {
          await expect(fetch(`${server.url}/leave/${encodeURIComponent(target)}`)).rejects.toMatchObject({
            code: 'asset_address_refused',
          });
        }
        expect(inner.connections()).toBe(0);
        expect(await fetcherTo(['127.0.0.0/8'])(inner.url), 'the server is there').toBe('inside');
      } finally {
        await inner.close();
      }
    });

    it.each(['file:///etc/passwd', 'ftp://127.0.0.1/', 'gopher://127.0.0.1/', 'data:,x', 'nonsense', ''])(
      'by the address %j',
      async (url) => {
        await expect(fetcherTo(LOOPBACK)(url)).rejects.toMatchObject({ code: 'asset_address_refused' });
        if (url) {
          const redirect = fetcherTo(LOOPBACK)(`${server.url}/leave/${encodeURIComponent(url)}`);
          await expect(redirect).rejects.toBeInstanceOf(PreviewError);
        }
      },
    );
  });
});
