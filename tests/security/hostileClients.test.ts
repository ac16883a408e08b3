import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createUrlSigner } from '../../src/storage/signedUrls/signedUrl.ts';
import { eventually } from '../support/eventually.ts';
import { drip, flood, openRaw, sayAndWait } from '../support/rawClient.ts';
import { type Service, smallJob, startService } from '../support/service.ts';

const MAX_BYTES = 64 * 1024 * 1024;
const MIB = 1024 * 1024;
const KEY = 'docs-key-0123456789abcdef';
const SIGNING = { id: 'k1', secret: 's'.repeat(40) };
const JPEG_HEAD = Buffer.from('ffd8ffe000104a464946000101', 'hex');

const post = (path: string, ...headers: string[]): string =>
  [`POST ${path} HTTP/1.1`, 'host: x', `authorization: Bearer ${KEY}`, ...headers, '', ''].join('\r\n');
const JSON_TYPE = 'content-type: application/json';

describe('a client that', () => {
  let service: Service;

  beforeAll(async () => {
    service = await startService({
      PREVIEW_API_KEYS: `tests:${KEY}`,
      PREVIEW_SIGNING_KEYS: `${SIGNING.id}:${SIGNING.secret}`,
      PREVIEW_UPLOAD_MAX_BYTES: String(MAX_BYTES),
    });
  });

  afterAll(() => service.stop());

  const leftovers = (): Promise<string[]> => readdir(join(service.dataDir, 'store', 'tmp'));
  const isWell = async (): Promise<void> => {
    const started = performance.now();
    expect((await fetch(`${service.url}/livez`)).status).toBe(200);
    expect(performance.now() - started).toBeLessThan(2000);
  };

  describe.concurrent('is slow', () => {
    test('to send its headers is told so, and cut off', { timeout: 60_000 }, async ({ expect }) => {
      const client = await openRaw(service.url);
      client.socket.write('GET /livez HTTP/1.1\r\nx-slow: ');
      drip(client.socket, 'a');
      const { text, milliseconds } = await client.closed;
      expect(text).toMatch(/^HTTP\/1\.1 408 /);
      expect(text).toContain('application/problem+json');
      expect(JSON.parse(text.split('\r\n\r\n')[1] ?? '')).toMatchObject({
        code: 'request_timeout',
        status: 408,
      });
      expect(milliseconds).toBeLessThan(20_000);
    });

    test('to say anything is cut off, however many there are; others are served meanwhile', {
      timeout: 60_000,
    }, async ({ expect }) => {
      const silent = await Promise.all(Array.from({ length: 200 }, () => openRaw(service.url)));
      await isWell();
      const ends = await Promise.all(silent.map(({ closed }) => closed));
      for (const { milliseconds } of ends) expect(milliseconds).toBeLessThan(20_000);
    });

    test.for([
      ['a job', post('/api/preview/job', JSON_TYPE, 'content-length: 100000'), '{'],
      ['a job in chunks', post('/api/preview/job', JSON_TYPE, 'transfer-encoding: chunked'), '1\r\n \r\n'],
      ['a file', `${post('/api/assets', 'content-length: 100000')}${JPEG_HEAD.toString('latin1')}`, 'x'],
      ['what nobody asked for', post('/api/nothing', 'content-length: 100000'), 'x'],
      ['what is refused', post('/api/preview/job', 'content-length: 100000').replace(KEY, 'guess'), 'x'],
    ] as const)('to send %s is cut off', { timeout: 60_000 }, async ([, head, more], { expect }) => {
      const client = await openRaw(service.url);
      client.socket.write(head, 'latin1');
      drip(client.socket, more);
      expect((await client.closed).milliseconds).toBeLessThan(20_000);
    });

    test.each([
      ['to read', 'x'],
      ['to read, and asks again and again', 'GET /livez HTTP/1.1\r\nhost: x\r\n\r\n'],
    ])('%s is cut off, and others read on', { timeout: 90_000 }, async (_, more) => {
      const bytes = Buffer.alloc(48 * MIB, 7);
      JPEG_HEAD.copy(bytes);
      const headers = { authorization: `Bearer ${KEY}` };
      const uploaded = await fetch(`${service.url}/api/assets`, { method: 'POST', headers, body: bytes });
      expect(uploaded.status).toBe(201);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const signer = createUrlSigner({ keys: () => [SIGNING], ttlSeconds: 600 });
      const { path } = signer.sign({ sha256, name: 'large.jpg' });
      const client = await openRaw(service.url);
      client.socket.pause();
      client.socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
      const whole = await fetch(service.url + path);
      expect((await whole.arrayBuffer()).byteLength).toBe(bytes.length);
      // Nobody reads here, so nobody hears of the end; the service says that it has one connection less.
      await eventually(
        async () => {
          client.socket.write(more);
          return client.socket.destroyed || undefined;
        },
        'the end of the connection',
        60,
      );
      expect((await client.closed).milliseconds).toBeGreaterThan(25_000);
    });
  });

  test('is cut off leaves nothing behind', async () => {
    await eventually(
      async () => ((await leftovers()).length === 0 ? true : undefined),
      'an empty tmp folder',
    );
  });

  describe('sends without an end', () => {
    test.each([
      ['a job', post('/api/preview/job', JSON_TYPE, 'transfer-encoding: chunked'), 32 * MIB],
      ['a file', post('/api/assets', 'transfer-encoding: chunked'), MAX_BYTES + 32 * MIB],
    ])('%s is told that it is too large, and the rest is not read', async (what, head, most) => {
      const client = await openRaw(service.url);
      client.socket.write(head);
      const body = Buffer.alloc(MIB, ' ');
      if (what === 'a file') client.socket.write(Buffer.concat([chunk(JPEG_HEAD)]));
      flood(client.socket, chunk(body));
      await eventually(async () => client.received().includes('\r\n\r\n') || undefined, 'an answer');
      expect(client.received()).toMatch(/^HTTP\/1\.1 413 /);
      expect(client.received()).toContain('payload_too_large');
      expect(client.socket.bytesWritten - client.socket.writableLength).toBeLessThan(most + 32 * MIB);
      client.socket.destroy();
      await isWell();
    });

    test.each([
      ['headers', 'GET /livez HTTP/1.1\r\n', `x-more: ${'a'.repeat(8000)}\r\n`, 431],
      ['one header', 'GET /livez HTTP/1.1\r\nx-more: ', 'a'.repeat(8000), 431],
      ['an address', 'GET /', 'a'.repeat(8000), 431],
      ['a method', 'AA', 'A'.repeat(8000), 400],
    ])('%s is answered with a problem, and cut off', async (_, head, more, status) => {
      // Whoever stops after too much of it reads the answer;
      const answer = await sayAndWait(service.url, head + more.repeat(3));
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(answer).toContain('application/problem+json');
      // who goes on is cut off, and may not see it: its own bytes are still on their way (RFC 9112, 9.6).
      const client = await openRaw(service.url);
      client.socket.write(head);
      flood(client.socket, Buffer.from(more));
      await client.closed;
      expect(client.socket.bytesWritten - client.socket.writableLength).toBeLessThan(16 * MIB);
      await isWell();
    });

    test('extensions of a chunk is cut off', async () => {
      const client = await openRaw(service.url);
      client.socket.write(post('/api/preview/job', JSON_TYPE, 'transfer-encoding: chunked'));
      client.socket.write('1;');
      flood(client.socket, Buffer.alloc(65_536, 'e'));
      await client.closed;
      await isWell();
    });
  });

  describe('sends a body that is compressed', () => {
    const bomb = gzipSync(Buffer.alloc(256 * MIB, ' '), { level: 9 });

    test.each(['/api/preview/job', '/api/preview/validate', '/api/assets'])(
      'to %s is refused, and nothing is unpacked',
      async (path) => {
        expect(bomb.length).toBeLessThan(MIB);
        const before = process.memoryUsage().rss;
        const response = await fetch(service.url + path, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${KEY}`,
            'content-type': 'application/json',
            'content-encoding': 'gzip',
          },
          body: bomb,
        });
        expect(response.status).toBe(415);
        expect(await response.json()).toMatchObject({
          code: 'unsupported_media_type',
          detail: expect.stringContaining('Content-Encoding'),
        });
        expect(process.memoryUsage().rss - before).toBeLessThan(64 * MIB);
      },
    );
  });

  describe('lies about the length of its body', () => {
    const job = JSON.stringify(smallJob('lied', {}, { dryRun: true }));

    test('and sends less: nothing is accepted', async () => {
      const client = await openRaw(service.url);
      client.socket.end(post('/api/preview/job', JSON_TYPE, `content-length: ${job.length + 1}`) + job);
      await client.closed;
      const headers = { authorization: `Bearer ${KEY}` };
      expect((await service.get('/api/preview/job/lied/status', headers)).status).toBe(404);
    });

    test('and sends more: the rest is no request, and the connection ends', async () => {
      const text = await sayAndWait(
        service.url,
        `${post('/api/preview/validate', JSON_TYPE, `content-length: ${job.length}`)}${job}${job}`,
      );
      expect(text).toMatch(/HTTP\/1\.1 400 .*problem\+json/s);
      expect(text.match(/HTTP\/1\.1 /g)?.length).toBeLessThanOrEqual(2);
    });

    test.each([
      ['a file that is shorter', ['content-length: 100000'], JPEG_HEAD.toString('latin1')],
      ['a file whose last chunk is missing', ['transfer-encoding: chunked'], 'd\r\n'],
    ])('%s is not kept', async (_, headers, body) => {
      const kept = (): Promise<string[]> =>
        readdir(join(service.dataDir, 'store', 'objects'), { recursive: true });
      const before = await kept();
      const client = await openRaw(service.url);
      client.socket.end(post('/api/assets', ...headers) + body, 'latin1');
      const { text } = await client.closed;
      expect(text).not.toMatch(/^HTTP\/1\.1 2/);
      await eventually(
        async () => ((await leftovers()).length === 0 ? true : undefined),
        'an empty tmp folder',
      );
      expect(await kept()).toEqual(before);
    });

    test.each([
      ['two lengths', ['content-length: 5', 'content-length: 6']],
      ['a length and chunks (request smuggling)', ['content-length: 5', 'transfer-encoding: chunked']],
      ['chunks and something else', ['transfer-encoding: chunked, identity']],
      ['a negative length', ['content-length: -1']],
      ['no number', ['content-length: many']],
      ['a sum', ['content-length: 1+1']],
      ['more than there are numbers', ['content-length: 99999999999999999999999']],
      ['white space before the colon', ['content-length : 5']],
      ['a chunk whose size is no number', ['transfer-encoding: chunked'], 'zz\r\n'],
      ['a chunk whose size has no end', ['transfer-encoding: chunked'], 'fffffffffffffffff\r\n'],
    ])('%s: refused with a problem', async (_, headers, body = 'hello') => {
      const text = await sayAndWait(service.url, post('/api/preview/validate', JSON_TYPE, ...headers) + body);
      expect(text).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(text).toContain('application/problem+json');
    });

    test('of more bytes than may come is told so before it sends them', async () => {
      const client = await openRaw(service.url);
      client.socket.write(post('/api/preview/job', JSON_TYPE, 'content-length: 99999999999'));
      await eventually(async () => client.received().includes('\r\n\r\n') || undefined, 'an answer');
      expect(client.received()).toMatch(/^HTTP\/1\.1 413 /);
      client.socket.destroy();
    });
  });

  describe('speaks something else', () => {
    test.each([
      ['no HTTP', 'HELO mail\r\n\r\n'],
      ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
      ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
      ['a header with a line break inside', 'GET /livez HTTP/1.1\r\nhost: x\r\nx: a\nb\r\n\r\n'],
      ['a header with a NUL', 'GET /livez HTTP/1.1\r\nhost: x\r\nx: a\0b\r\n\r\n'],
      ['no host', 'GET /livez HTTP/1.1\r\nconnection: close\r\n\r\n'],
    ])('%s: refused with a problem', async (_, text) => {
      const answer = await sayAndWait(service.url, Buffer.from(text, 'latin1'));
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).toContain('application/problem+json');
      await isWell();
    });
  });
});

const chunk = (bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
