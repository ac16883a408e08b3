import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { catalogue, type ErrorCode } from '../../errors.ts';

/** How long the headers of a request may take, in milliseconds; Node.js itself sees to it. */
export const HEADERS_MS = 10_000;
/** How often Node.js looks for requests that take too long. */
export const CHECK_MS = 1000;
/** The longest that a request may take to arrive, however steadily it does: the largest upload at 300 kbit/s. */
export const REQUEST_MS = 1_800_000;

/** The slowest that a body may arrive: after a grace period, this rate on average. */
const BODY_GRACE_MS = 10_000;
const BODY_BYTES_PER_SECOND = 4096;
/** How long a client may read nothing of an answer. */
const READ_MS = 30_000;

/** The last request of a connection: those before it have arrived, and their answers leave ahead of its own. */
interface Underway {
  request: FastifyRequest;
  reply: FastifyReply;
  since: number;
  /** What the connection had brought when the request began. */
  readBefore: number;
  /** What of the answers was taken, and when it was last more than before. */
  taken: number;
  takenAt: number;
}

/**
 * Closes the connections of clients that send their bodies drop by drop, or that do not read their answers. Each of them
 * holds memory, a file descriptor and a connection. The time that the service itself takes is not counted.
 */
export function cutOffSlowClients(app: FastifyInstance): void {
  // By their connections: what was answered long ago is not held on to.
  const underway = new Map<Socket, Underway>();
  app.addHook('onRequest', (request, reply, done) => {
    const now = Date.now();
    const { socket } = request.raw;
    const readBefore = socket.bytesRead;
    // Sending another request is not reading.
    const { taken, takenAt } = underway.get(socket) ?? { taken: -1, takenAt: now };
    underway.set(socket, { request, reply, since: now, readBefore, taken, takenAt });
    done();
  });
  const timer = setInterval(() => {
    const now = Date.now();
    for (const [socket, one] of underway) {
      const { raw } = one.request;
      // A client that was refused early may still be sending its body.
      const isOver = one.reply.raw.writableFinished && raw.complete;
      if (isOver || socket.destroyed) {
        underway.delete(socket);
        continue;
      }
      const why = sendsTooSlowly(one, now) ? 'sends' : readsTooSlowly(one, now) ? 'reads' : undefined;
      if (!why) continue;
      one.request.log.info({ why }, 'slow client cut off');
      underway.delete(socket);
      socket.destroy();
    }
  }, CHECK_MS);
  timer.unref();
  app.addHook('onClose', async () => clearInterval(timer));
}

function sendsTooSlowly({ request: { raw }, since, readBefore }: Underway, now: number): boolean {
  // Data that has arrived waits for us, not for the client.
  if (raw.complete || raw.readableLength > 0) return false;
  const arrived = raw.socket.bytesRead - readBefore;
  return now - since > BODY_GRACE_MS + (1000 * arrived) / BODY_BYTES_PER_SECOND;
}

function readsTooSlowly(one: Underway, now: number): boolean {
  const { socket } = one.request.raw;
  const taken = takenOf(socket);
  if (taken !== one.taken || socket.writableLength === 0) {
    one.taken = taken;
    one.takenAt = now;
  }
  return now - one.takenAt > READ_MS;
}

/** Bytes that the operating system has accepted from us. */
const takenOf = (socket: Socket): number => socket.bytesWritten - socket.writableLength;

const REASONS: Record<string, string> = { 408: 'Request Timeout', 431: 'Request Header Fields Too Large' };

/** Answers what is not even an HTTP request, also with a problem document. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  // The second time there is nothing more to say: what follows is still being thrown away.
  if (error.code === 'ECONNRESET' || socket.destroyed || socket.writableEnded) return;
  const refusals: Record<string, ErrorCode> = {
    ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
    HPE_HEADER_OVERFLOW: 'headers_too_large',
  };
  const code = refusals[error.code ?? ''] ?? 'invalid_request';
  const { status, title } = catalogue[code];
  const detail = code === 'invalid_request' ? 'The request is not valid HTTP/1.1.' : title;
  const body = JSON.stringify({ type: 'about:blank', title, status, code, detail });
  if (socket.writable) {
    socket.write(
      `HTTP/1.1 ${status} ${REASONS[status] ?? 'Bad Request'}\r\ncontent-type: application/problem+json\r\n` +
        `x-content-type-options: nosniff\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  }
  socket.destroySoon();
}
