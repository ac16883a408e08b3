import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { settlesWithin } from '../../concurrency/settlesWithin.ts';

/** A comment at least this often keeps proxies from closing the connection. */
const BEAT_MS = 15_000;
/** How many events may wait for a slow reader. Beyond it the connection ends; the reader reconnects for the present state. */
const MOST_WAITING = 2000;

/** A signal that aborts with the request, and when the service stops: listeners must not delay a stop. */
export function listeningSignal(app: FastifyInstance): (request: FastifyRequest) => AbortSignal {
  const stopping = new AbortController();
  app.addHook('preClose', async () => stopping.abort());
  return (request) => {
    const gone = new AbortController();
    request.raw.once('close', () => gone.abort());
    return AbortSignal.any([gone.signal, stopping.signal]);
  };
}

/** Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), with heartbeats. */
export function sendEvents(
  reply: FastifyReply,
  events: AsyncIterable<string>,
  signal: AbortSignal,
): FastifyReply {
  return reply
    .type('text/event-stream')
    .header('cache-control', 'no-store')
    .header('x-accel-buffering', 'no')
    .send(Readable.from(withBeats(events, signal)));
}

export const event = (name: string, data: unknown): string =>
  `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

/** Events as they are pushed, until the signal. */
export function eventQueue(signal: AbortSignal) {
  const waiting: string[] = [];
  let wake = (): void => undefined;
  let isCutOff = false;
  signal.addEventListener('abort', () => wake());
  return {
    push(text: string): void {
      waiting.push(text);
      isCutOff ||= waiting.length > MOST_WAITING;
      wake();
    },
    async *[Symbol.asyncIterator](): AsyncGenerator<string> {
      while (!signal.aborted && !isCutOff) {
        const text = waiting.splice(0).join('');
        if (text !== '') yield text;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

async function* withBeats(events: AsyncIterable<string>, signal: AbortSignal): AsyncGenerator<string> {
  const iterator = events[Symbol.asyncIterator]();
  try {
    let next = iterator.next();
    while (!signal.aborted) {
      if (!(await settlesWithin(next, BEAT_MS))) {
        yield ': still here\n\n';
        continue;
      }
      const result = await next;
      if (result.done) return;
      yield result.value;
      next = iterator.next();
    }
  } finally {
    void iterator.return?.(undefined);
  }
}
