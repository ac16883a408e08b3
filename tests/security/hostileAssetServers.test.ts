import { createServer, type Server, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { flood } from '../support/rawClient.ts';
import { freePort } from '../support/redis.ts';
import { type Service, smallJob, startService } from '../support/service.ts';

const MAX_BYTES = 1024 * 1024;

/** What a server says to whoever asks for a path, byte by byte: these break the rules of HTTP, or stretch them. */
const answers: Record<string, (socket: Socket) => void> = {
  'an endless body': (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    flood(socket, Buffer.alloc(65_536, 0xff));
  },
  'an endless body in chunks': (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
    flood(socket, Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536), Buffer.from('\r\n')]));
  },
  'a body longer than its length says': (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n');
    flood(socket, Buffer.alloc(65_536, 0xff));
  },
  'a body shorter than its length says': (socket) =>
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nshort'),
  'a length of many terabytes': (socket) =>
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 99999999999999\r\n\r\nshort'),
  'two lengths': (socket) =>
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nshort!'),
  'a negative length': (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nshort'),
  'a chunk of wrong size': (socket) =>
    socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nshort\r\n0\r\n\r\n'),
  'a gzip bomb': (socket) => {
    const bomb = gzipSync(Buffer.alloc(20 * MAX_BYTES));
    socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`);
    socket.end(bomb);
  },
  'endless headers': (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    flood(socket, Buffer.from(`x-more: ${'a'.repeat(8000)}\r\n`));
  },
  'one endless header': (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nx-more: ');
    flood(socket, Buffer.alloc(65_536, 'a'));
  },
  'endless information before the answer': (socket) =>
    flood(socket, Buffer.from('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(1000))),
  'a redirect to itself': (socket) => socket.end('HTTP/1.1 302 Found\r\nlocation: ?\r\n\r\n'),
  'a redirect to nowhere': (socket) => socket.end('HTTP/1.1 302 Found\r\nlocation: http://[\r\n\r\n'),
  'a redirect with a body without an end': (socket) => {
    socket.write('HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\n\r\n');
    flood(socket, Buffer.alloc(65_536, 0xff));
  },
  'an error without an end': (socket) => {
    socket.write('HTTP/1.1 500 Oh\r\n\r\n');
    flood(socket, Buffer.alloc(65_536, 0xff));
  },
  'no HTTP': (socket) => socket.end('220 mail.example.org ESMTP\r\n'),
  nothing: (socket) => socket.end(),
  'an empty file': (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'),
  'a switch of protocols': (socket) =>
    socket.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n'),
  'a demand for a password': (socket) =>
    socket.end('HTTP/1.1 401 No\r\nwww-authenticate: Basic\r\ncontent-length: 0\r\n\r\n'),
};

describe('an asset whose server answers with', () => {
  let service: Service;
  let server: Server;
  let sent = 0;
  let url = '';
  const sockets = new Set<Socket>();

  beforeAll(async () => {
    const port = await freePort();
    const names = Object.keys(answers);
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sent += socket.bytesWritten;
        sockets.delete(socket);
      });
      socket.once('data', (head) => {
        const [, index] = /^GET \/(\d+)/.exec(head.toString('latin1')) ?? [];
        answers[names[Number(index)] ?? '']?.(socket);
        socket.resume();
      });
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${port}`;
    service = await startService({
      PREVIEW_ASSET_ALLOW_PRIVATE: '127.0.0.1/32',
      PREVIEW_UPLOAD_MAX_BYTES: String(MAX_BYTES),
    });
    // The first plan starts a process.
    await service.post('/api/preview/validate', smallJob('first'));
  });

  afterAll(async () => {
    await service.stop();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  test.each(Object.keys(answers).map((name, index) => [name, index] as const))(
    '%s is refused by its code, at once, and read no further than allowed',
    async (_, index) => {
      const started = performance.now();
      const before = sent;
      const asset = { id: 'a', type: 'image' as const, url: `${url}/${index}` };
      const job = smallJob('hostile', { assets: [asset], steps: [{ asset: 'a' }] });
      const { status, body } = await service.post('/api/preview/validate', job);
      expect(status).toBe(422);
      expect(body.code).toMatch(/^asset_/);
      expect(performance.now() - started).toBeLessThan(2000);
      for (const socket of sockets) socket.destroy();
      // What lies in the buffers of both ends was sent, but not read.
      expect(sent - before).toBeLessThan(16 * MAX_BYTES);
      expect((await service.get('/livez')).status).toBe(200);
    },
  );

  test('silence is waited for no longer than by who asked for the plan', async () => {
    const asset = { id: 'a', type: 'image' as const, url: `${url}/silence` };
    const gone = new AbortController();
    const asked = fetch(`${service.url}/api/preview/validate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(smallJob('left', { assets: [asset], steps: [{ asset: 'a' }] })),
      signal: gone.signal,
    });
    await eventually(async () => (sockets.size > 0 ? true : undefined), 'the question to the server');
    gone.abort();
    await expect(asked).rejects.toThrow();
    await eventually(async () => (sockets.size === 0 ? true : undefined), 'the end of the question', 3);
  });
});
