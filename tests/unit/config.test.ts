import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hashKey, SCOPES } from '../../src/apiKey.ts';
import { loadConfig } from '../../src/config.ts';

const KEY = 'a-key-of-24-characters--';
const SECRET = 's'.repeat(32);

/** The lines of the one error that a configuration is refused with. */
function problemsOf(env: Record<string, string | undefined>): string[] {
  try {
    loadConfig(env);
  } catch (error) {
    expect(error).toMatchObject({ code: 'config_invalid' });
    return error instanceof Error ? error.message.split('\n') : [];
  }
  throw new Error('the configuration was accepted');
}

describe('an empty environment', () => {
  test('gives the documented defaults', () => {
    expect(loadConfig({})).toEqual({
      redisUrl: undefined,
      queueName: 'preview-jobs',
      concurrency: 2,
      queueMax: 20,
      dataDir: './data',
      host: '127.0.0.1',
      port: 3000,
      storeUrl: undefined,
      downloads: 'proxy',
      workerHost: '127.0.0.1',
      workerPort: 9464,
      logLevel: 'info',
      logFormat: 'auto',
      logRedact: [],
      otlpEndpoint: undefined,
      apiKeys: [],
      ratePerKey: 6000,
      ratePerAddress: 6000,
      trustedProxies: [],
      signingKeys: [],
      urlTtlSeconds: 900,
      jobTimeoutSeconds: 300,
      renderMemoryBytes: 1.5 * 1024 ** 3,
      shutdownGraceSeconds: 25,
      uploadMaxBytes: 64 * 1024 * 1024,
      corsOrigins: [],
      uploadQuotaBytes: 10 * 1024 ** 3,
      assetAllowPrivate: [],
      assetAllowHosts: [],
      denyHosts: [],
      dnsServers: [],
      webhookSecrets: new Map(),
      webhookAllowPrivate: [],
      webhookAllowHosts: [],
    });
  });

  test('is the same as one of empty variables', () => {
    expect(loadConfig({ PORT: '', REDIS_URL: ' ', PREVIEW_API_KEYS: '' })).toEqual(loadConfig({}));
  });
});

test('all problems are told at once, with what was given and what is expected', () => {
  const problems = problemsOf({ PORT: '70000', LOG_LEVEL: 'loud', PREVIEW_QUEUE_MAX: '1e3' });
  expect(problems).toEqual([
    'PREVIEW_QUEUE_MAX is "1e3", but must be a whole number from 1 to 1000000',
    'PORT is "70000", but must be a whole number from 0 to 65535',
    'LOG_LEVEL is "loud", but must be trace, debug, info, warn, error, fatal or silent',
    'See docs/configuration.md.',
  ]);
});

test.each([
  { PREVIEW_API_KEYS: 'docs-hunter2hunter2hunter2' },
  { PREVIEW_API_KEYS: 'docs:hunter2' },
  { PREVIEW_API_KEYS: `a:${KEY}hunter2,b:${KEY}hunter2` },
  { PREVIEW_SIGNING_KEYS: 'k1:hunter2' },
  { REDIS_URL: 'http://:hunter2@127.0.0.1' },
])('a secret that cannot be used is refused and not repeated: %o', (env) => {
  const text = problemsOf(env).join('\n');
  expect(text).toContain(Object.keys(env)[0]);
  expect(text).not.toContain('hunter2');
});

test.each(['redis://127.0.0.1:6379/1', 'rediss://user:pw@queue.example', 'postgres://127.0.0.1/queue'])(
  'the queue may be at %s',
  (url) => expect(loadConfig({ REDIS_URL: url }).redisUrl).toBe(url),
);

test('asset networks must be in CIDR notation', () => {
  expect(loadConfig({ PREVIEW_ASSET_ALLOW_PRIVATE: '10.0.0.0/8, fd00::/8' }).assetAllowPrivate).toEqual([
    '10.0.0.0/8',
    'fd00::/8',
  ]);
  expect(problemsOf({ PREVIEW_ASSET_ALLOW_PRIVATE: '10.0.0.1' })[0]).toContain('10.1.0.0/16');
});

test('lists of hosts have names, names below a name, and addresses', () => {
  const PREVIEW_DENY_HOSTS = 'CDN.example.org, *.example.net,192.0.2.1';
  expect(loadConfig({ PREVIEW_DENY_HOSTS }).denyHosts).toEqual([
    'cdn.example.org',
    '*.example.net',
    '192.0.2.1',
  ]);
  for (const text of ['https://example.org', 'example.org:80', '*', 'a.*.org', 'example.org/a'])
    expect(problemsOf({ PREVIEW_ASSET_ALLOW_HOSTS: text })[0], text).toContain('cdn.example.org');
});

test('DNS servers are addresses, with a port or without', () => {
  const PREVIEW_DNS_SERVERS = '10.0.0.53,10.0.0.53:5353,fd00::53,[fd00::53]:53';
  expect(loadConfig({ PREVIEW_DNS_SERVERS }).dnsServers).toHaveLength(4);
  for (const text of ['dns.example.org', '10.0.0.53:', '300.0.0.1', '[fd00::53]'])
    expect(problemsOf({ PREVIEW_DNS_SERVERS: text })[0], text).toContain('10.0.0.53:5353');
});

test('webhook secrets have 24 to 64 bytes, several for a project, and are never repeated', () => {
  const secret = (bytes: number): string => `whsec_${Buffer.alloc(bytes, 1).toString('base64')}`;
  const { webhookSecrets } = loadConfig({
    PREVIEW_WEBHOOK_SECRETS: `docs:${secret(24)},shop:${secret(32)},docs:${secret(64)}`,
  });
  expect(webhookSecrets.get('docs')?.map(({ length }) => length)).toEqual([24, 64]);
  expect(webhookSecrets.get('shop')).toHaveLength(1);
  for (const text of [secret(23), secret(65), 'c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0', 'whsec_%%%']) {
    const [problem = ''] = problemsOf({ PREVIEW_WEBHOOK_SECRETS: `docs:${text}` });
    expect(problem).toContain('whsec_ and the base64 of 24 to 64 bytes');
    expect(problem).not.toContain(text);
  }
});

test('days that things are kept may differ by project', () => {
  expect(loadConfig({}).retention).toBeUndefined();
  expect(loadConfig({ PREVIEW_RETENTION_DAYS: '30' }).retention).toEqual({ days: 30, projects: new Map() });
  expect(loadConfig({ PREVIEW_RETENTION_DAYS: '30, docs:7,shop:90' }).retention).toEqual({
    days: 30,
    projects: new Map([
      ['docs', 7],
      ['shop', 90],
    ]),
  });
  for (const wrong of ['docs:7', '0', '30,docs', '30,docs:0', '1.5', 'forever']) {
    expect(problemsOf({ PREVIEW_RETENTION_DAYS: wrong })[0]).toContain('30,docs:7');
  }
});

describe('API keys', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'config-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('are kept as digests', () => {
    const { apiKeys } = loadConfig({ PREVIEW_API_KEYS: `docs:${KEY}` });
    expect(apiKeys).toEqual([{ projectId: 'docs', scopes: SCOPES, sha256: hashKey(KEY) }]);
    expect(JSON.stringify(apiKeys)).not.toContain(KEY);
  });

  test('may hold colons, and may come from a file with one on each line', () => {
    const file = join(folder, 'keys');
    writeFileSync(file, `docs:${KEY}\nshop:with:colons:${KEY}\n`);
    expect(loadConfig({ PREVIEW_API_KEYS: `@${file}` }).apiKeys).toEqual([
      { projectId: 'docs', scopes: SCOPES, sha256: hashKey(KEY) },
      { projectId: 'shop', scopes: SCOPES, sha256: hashKey(`with:colons:${KEY}`) },
    ]);
  });

  test('have the scopes that stand behind their project', () => {
    const { apiKeys } = loadConfig({ PREVIEW_API_KEYS: `docs/read+submit:${KEY}` });
    expect(apiKeys).toEqual([{ projectId: 'docs', scopes: ['read', 'submit'], sha256: hashKey(KEY) }]);
  });

  test.each(['docs/', 'docs/write', 'docs/read+', 'docs/read,submit'])('are refused as "%s"', (name) => {
    expect(() => loadConfig({ PREVIEW_API_KEYS: `${name}:${KEY}` })).toThrow('PREVIEW_API_KEYS');
  });

  test('a file that is not there is refused', () => {
    expect(problemsOf({ PREVIEW_API_KEYS: `@${folder}/none` })[0]).toContain('a file that can be read');
  });
});

test('signing keys keep their order: the first signs', () => {
  const { signingKeys } = loadConfig({ PREVIEW_SIGNING_KEYS: `k2:${SECRET}2,k1:${SECRET}1` });
  expect(signingKeys).toEqual([
    { id: 'k2', secret: `${SECRET}2` },
    { id: 'k1', secret: `${SECRET}1` },
  ]);
});

describe('an address that others can reach', () => {
  test.each(['0.0.0.0', '::', '192.168.1.5', 'preview.example'])('is refused without keys: %s', (host) => {
    expect(problemsOf({ HOST: host })[0]).toBe(
      `HOST is "${host}", which other machines can reach, but there are no API keys: ` +
        'set PREVIEW_API_KEYS=projectId:key, or HOST=127.0.0.1',
    );
  });

  test('is taken with keys', () => {
    expect(loadConfig({ HOST: '0.0.0.0', PREVIEW_API_KEYS: `docs:${KEY}` }).host).toBe('0.0.0.0');
  });

  test.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('loopback needs no keys: %s', (host) => {
    expect(loadConfig({ HOST: host }).host).toBe(host);
  });
});

test('downloads are sent on only where there is a bucket', () => {
  const PREVIEW_DOWNLOADS = 'redirect';
  expect(loadConfig({}).downloads).toBe('proxy');
  expect(loadConfig({ PREVIEW_DOWNLOADS, STORE_URL: 's3://previews' }).downloads).toBe('redirect');
  expect(problemsOf({ PREVIEW_DOWNLOADS })[0]).toContain('set STORE_URL');
});
