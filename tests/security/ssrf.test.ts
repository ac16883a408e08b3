import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { AssetServer } from '../integration/assets/assetServer.ts';
import { startAssetServer } from '../integration/assets/assetServer.ts';
import { type Canary, knock, startCanary } from '../support/canary.ts';
import { jobDone, postJob, startProcess } from '../support/cluster.ts';
import { type DnsServer, startDnsServer } from '../support/dnsServer.ts';
import { eventually } from '../support/eventually.ts';
import { type Service, smallJob, startService } from '../support/service.ts';
import { startWebhookReceiver } from '../support/webhookReceiver.ts';

/*
 * The canary listens on every address of this machine. 127.0.0.2 stands for the public internet: the service may reach
 * it, and nothing else.
 */
const OUTSIDE = '127.0.0.2';
const PICTURE = readFileSync(new URL('../../examples/features/media/wide.jpg', import.meta.url));

/** Every way to write an address that must not be reached. */
const LITERALS = [
  // Loopback in IPv4, and the spellings that a URL parser knows
  '127.0.0.1',
  '127.0.0.1.',
  '127.1',
  '127.0.1',
  '127.255.255.254',
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '0x7f.0x0.0x0.0x1',
  '017700000001',
  '0177.0.0.1',
  '0177.1',
  '１２７.０.０.１',
  '127。0。0。1',
  '%31%32%37.0.0.1',
  '0',
  '0.0.0.0',
  '0x0',
  // Loopback in IPv6, and IPv4 inside it
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[::]',
  '[::127.0.0.1]',
  '[::7f00:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[0:0:0:0:0:ffff:127.0.0.1]',
  '[::ffff:0:127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::]',
  '[2001:0:7f00:1::]',
  // Private, shared, link-local, multicast, reserved
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '100.64.0.1',
  '169.254.169.254',
  '0xa9fea9fe',
  '[::ffff:169.254.169.254]',
  '[fd00:ec2::254]',
  '[fe80::1]',
  '[fc00::1]',
  '[fec0::1]',
  '[ff02::1]',
  '[2001:db8::1]',
  '198.18.0.1',
  '192.0.0.192',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
];

/** Names of the DNS server below that lead to where nobody may go. */
const PRIVATE_NAMES: Record<string, string[]> = {
  'loopback.test': ['127.0.0.1'],
  'loopback6.test': ['::1'],
  'unspecified.test': ['0.0.0.0'],
  'mapped.test': ['::ffff:127.0.0.1'],
  'nat64.test': ['64:ff9b::7f00:1'],
  'sixtofour.test': ['2002:7f00:1::'],
  'private.test': ['10.0.0.1'],
  'metadata.test': ['169.254.169.254'],
  'one-of-two.test': [OUTSIDE, '127.0.0.1'],
  'public-v4-private-v6.test': [OUTSIDE, '::1'],
};

describe('no spelling, name, redirect or webhook reaches a private address', () => {
  let canary: Canary;
  let outside: AssetServer;
  let dns: DnsServer;
  let service: Service;
  let named: Service;
  let rebinds = 0;

  beforeAll(async () => {
    canary = await startCanary([OUTSIDE]);
    outside = await startAssetServer(({ url = '' }, response) => {
      const [, what = '', value = ''] = url.split('/');
      response.setHeader('connection', 'close');
      if (what === 'picture') response.end(PICTURE);
      else if (what === 'to') {
        const [status, location] = [value.slice(0, 3), value.slice(4)];
        response.writeHead(Number(status), { location: decodeURIComponent(location) }).end();
      } else response.writeHead(204).end();
    }, OUTSIDE);
    dns = await startDnsServer((name) => {
      if (name === 'outside.test') return [OUTSIDE];
      // Once the address that is checked, and ever after another one.
      if (name.endsWith('rebind.test')) return [rebinds++ === 0 ? OUTSIDE : '127.0.0.1'];
      return PRIVATE_NAMES[name];
    });
    const env = {
      PREVIEW_ASSET_ALLOW_PRIVATE: `${OUTSIDE}/32`,
      PREVIEW_WEBHOOK_ALLOW_PRIVATE: `${OUTSIDE}/32`,
      PREVIEW_WEBHOOK_SECRETS: `tests:whsec_${Buffer.alloc(32, 's').toString('base64')}`,
    };
    service = await startService(env);
    named = await startService({ ...env, PREVIEW_DNS_SERVERS: dns.address });
  });

  afterEach(() => {
    expect(canary.seen.splice(0)).toEqual([]);
    rebinds = 0;
  });

  afterAll(async () => {
    await Promise.all([service.stop(), named.stop()]);
    await Promise.all([canary.close(), outside.close(), dns.close()]);
  });

  const jobWith = (url: string, jobId = 'asset') =>
    smallJob(jobId, { assets: [{ id: 'a', type: 'image', url }], steps: [{ asset: 'a' }] });
  /** Has the service fetch an asset. */
  const codeOf = async (url: string, from = service): Promise<unknown> => {
    const { status, body } = await from.post('/api/preview/validate', jobWith(url));
    expect(status).toBeLessThan(500);
    return body.code;
  };
  /** What is told of a webhook that was not delivered. */
  /** The first failure of a job's webhook, once its delivery has that status. */
  const failureOf = async (
    jobId: string,
    url: string,
    { from = service, status = 'failed' } = {},
  ): Promise<string> => {
    const job = smallJob(jobId, {}, { dryRun: true, webhook: { url } });
    expect((await from.post('/api/preview/job', job)).status).toBe(202);
    return eventually(async () => {
      const { body } = await from.get(`/api/preview/job/${jobId}/deliveries`);
      const [delivery] = body.deliveries as { status: string; attempts: { failure: string }[] }[];
      return delivery?.status === status ? delivery.attempts[0]?.failure : undefined;
    }, `a delivery of ${jobId} that is ${status}`);
  };
  const redirect = (status: number, to: string, host = OUTSIDE): string =>
    `http://${host}:${outside.port}/to/${status}~${encodeURIComponent(to)}`;

  test('the canary hears, and what is outside can be reached', async () => {
    for (const address of ['127.0.0.1', '127.255.255.254', '::1']) await knock(address, canary.port);
    expect(canary.seen.splice(0)).toHaveLength(3);
    expect(await codeOf(`${outside.url}/picture`)).toBeUndefined();
    expect(await codeOf(`http://outside.test:${outside.port}/picture`, named)).toBeUndefined();
    expect(dns.asked).toContain('outside.test');
  });

  describe('assets', () => {
    test.each(LITERALS)('http://%s', async (host) => {
      expect(await codeOf(`http://${host}:${canary.port}/`)).toBe('asset_address_refused');
    });

    test.each(['localhost', 'LOCALHOST'])('http://%s', async (host) => {
      expect(await codeOf(`http://${host}:${canary.port}/`)).toBe('asset_address_refused');
    });

    test.each(['localhost.', 'ip6-localhost', '127.0.0.1.nip.io.invalid'])('http://%s', async (host) => {
      // Whether this machine knows the name is its own affair.
      const code = await codeOf(`http://${host}:${canary.port}/`);
      expect(['asset_address_refused', 'asset_unreachable']).toContain(code);
    });

    test.each(['127.0.0.1', '[::1]', '2130706433', 'localhost'])('https://%s', async (host) => {
      expect(await codeOf(`https://${host}:${canary.port}/`)).toBe('asset_address_refused');
    });

    test.each([
      ['user info that looks like a host', `http://${OUTSIDE}@127.0.0.1:PORT/`],
      ['user info with a password', `http://${OUTSIDE}:80@127.0.0.1:PORT/`],
      ['a backslash', `http://127.0.0.1:PORT\\@${OUTSIDE}/`],
      ['a fragment that looks like a host', `http://127.0.0.1:PORT#@${OUTSIDE}/`],
      ['white space', 'http://127.0.0.1\t:PORT/'],
      ['another case', 'HTTP://127.0.0.1:PORT/'],
      ['no slashes', 'http:127.0.0.1:PORT'],
    ])('%s', async (_, text) => {
      const code = await codeOf(text.replace('PORT', String(canary.port)));
      expect(['asset_address_refused', 'invalid_payload']).toContain(code);
    });

    test.each([
      'file:///etc/passwd',
      'ftp://127.0.0.1:PORT/',
      'gopher://127.0.0.1:PORT/_GET',
      'unix:/var/run/docker.sock',
      'concat:http://127.0.0.1:PORT/',
      '//127.0.0.1:PORT/',
    ])('%s', async (text) => {
      const code = await codeOf(text.replace('PORT', String(canary.port)));
      expect(['asset_address_refused', 'invalid_payload']).toContain(code);
    });

    test.each(Object.keys(PRIVATE_NAMES))('a name that leads to a private address: %s', async (name) => {
      expect(await codeOf(`http://${name}:${canary.port}/`, named)).toBe('asset_address_refused');
      expect(dns.asked).toContain(name);
    });

    test('a name that leads elsewhere at its second look-up', async () => {
      await codeOf(`http://rebind.test:${canary.port}/`, named);
      expect(await codeOf(`http://rebind.test:${canary.port}/`, named)).toBe('asset_address_refused');
      expect(rebinds).toBeGreaterThan(1);
    });

    test('a name that leads elsewhere when it is redirected to', async () => {
      const again = `http://rebind.test:${canary.port}/`;
      expect(await codeOf(redirect(302, again, 'rebind.test'), named)).toBe('asset_address_refused');
      expect(rebinds).toBeGreaterThan(1);
    });

    test.each([301, 302, 303, 307, 308])('a redirect by %i to a private address', async (status) => {
      const to = `http://127.0.0.1:${canary.port}/`;
      expect(await codeOf(redirect(status, to))).toBe('asset_address_refused');
    });

    test.each([
      ['an address in IPv6', 'http://[::ffff:7f00:1]:PORT/'],
      ['a decimal address', 'http://2130706433:PORT/'],
      ['an address without a scheme', '//127.0.0.1:PORT/'],
      ['localhost', 'http://localhost:PORT/'],
      ['a file', 'file:///etc/passwd'],
      ['data', 'data:image/png;base64,iVBORw0KGgo='],
    ])('a redirect to %s', async (_, to) => {
      const url = redirect(302, to.replace('PORT', String(canary.port)));
      expect(await codeOf(url)).toBe('asset_address_refused');
    });

    test('a redirect to a redirect to a private address', async () => {
      const url = redirect(302, redirect(302, `http://127.0.0.1:${canary.port}/`));
      expect(await codeOf(url)).toBe('asset_address_refused');
    });

    test('a redirect to a name that leads to a private address', async () => {
      const url = redirect(302, `http://loopback.test:${canary.port}/`, 'outside.test');
      expect(await codeOf(url, named)).toBe('asset_address_refused');
    });

    test('a job in the queue', async () => {
      await service.post('/api/preview/job', jobWith(`http://127.0.0.1:${canary.port}/`, 'queued'));
      expect(await service.ended('queued')).toMatchObject({ error: { code: 'asset_address_refused' } });
    });
  });

  describe('webhooks', () => {
    test.each([
      '127.0.0.1',
      '127.1',
      '2130706433',
      '0177.0.0.1',
      '0x7f.1',
      '0',
      'localhost',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '[64:ff9b::7f00:1]',
      '[2002:7f00:1::]',
      '10.0.0.1',
      '169.254.169.254',
      `${OUTSIDE}@127.0.0.1`,
    ])('http://%s', async (host) => {
      const jobId = `hook-${Buffer.from(host).toString('hex')}`;
      expect(await failureOf(jobId, `http://${host}:${canary.port}/`)).toContain('private');
    });

    test.each(Object.keys(PRIVATE_NAMES))('a name that leads to a private address: %s', async (name) => {
      expect(await failureOf(`hook-${name}`, `http://${name}:${canary.port}/`, { from: named })).toContain(
        'private',
      );
    });

    test('a name that leads elsewhere at its second look-up', async () => {
      const url = `http://hook-rebind.test:${canary.port}/`;
      await named.post('/api/preview/validate', jobWith(url));
      expect(rebinds).toBeGreaterThan(0);
      expect(await failureOf('hook-rebind', url, { from: named })).toContain('private');
    });

    test.each([301, 302, 303, 307, 308])('a redirect by %i to a private address', async (status) => {
      const url = redirect(status, `http://127.0.0.1:${canary.port}/`);
      const failure = await failureOf(`hook-redirect-${status}`, url, { status: 'pending' });
      expect(failure).toContain('Redirects are not followed');
    });
  });

  test('a proxy that the environment names, for assets and for webhooks', async () => {
    const proxy = `http://127.0.0.1:${canary.port}`;
    const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]);
    const dataDir = await mkdtemp(join(tmpdir(), 'preview-proxy-'));
    const hooks = await startWebhookReceiver();
    // Node.js reads these when it starts, so the service has a process of its own.
    const proxied = await startProcess('serve', {
      ...Object.fromEntries(names.map((name) => [name, proxy])),
      ...{ NO_PROXY: '', NODE_USE_ENV_PROXY: '1', DATA_DIR: dataDir, PORT: '0' },
      PREVIEW_ASSET_ALLOW_PRIVATE: `${OUTSIDE}/32`,
      PREVIEW_WEBHOOK_ALLOW_PRIVATE: '127.0.0.1/32',
      PREVIEW_WEBHOOK_SECRETS: `tests:whsec_${Buffer.alloc(32, 's').toString('base64')}`,
    });
    try {
      const job = {
        ...jobWith(`${outside.url}/picture`, 'proxied'),
        webhook: { url: `${hooks.url}/proxied` },
      };
      expect(await postJob(proxied.url, job)).toBe(202);
      await jobDone(proxied.url, 'proxied');
      await hooks.got('/proxied');
    } finally {
      await proxied.stop();
      await hooks.close();
      await rm(dataDir, { recursive: true, force: true });
    }
  }, 90_000);
});
