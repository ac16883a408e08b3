/**
 * Soundtracks are made in a thread of their own: mixing and measuring is JavaScript, and would keep the slides waiting
 * where both share a thread. Measured on two cores, ten steps with music: 1.0 s instead of 1.2 s.
 *
 * The thread asks for a sound when it is to be heard, so that no more files are in memory than are heard at a time.
 */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { type ErrorCode, PreviewError } from '../../errors.ts';
import { quietFfmpeg } from '../../media/ffmpeg.ts';
import type { SoundtrackContent } from '../plan/plan.ts';
import { makeSoundtrack, type ReadSound, type Soundtrack } from './soundtrack.ts';

/** A sound's file, and the demuxer that opens it. */
interface SoundFile {
  bytes: Uint8Array;
  demuxer: string;
}

/** To the thread: a task, or the file that it asked for. */
type Order =
  | { type: 'make'; id: number; content: SoundtrackContent; stop: SharedArrayBuffer }
  | { type: 'file'; id: number; sha256: string; file: SoundFile }
  | { type: 'no file'; id: number; sha256: string; error: unknown };

/** From the thread. */
type Answer =
  | { type: 'read'; id: number; sha256: string }
  | { type: 'made'; id: number; made: Soundtrack }
  | { type: 'failed'; id: number; error: unknown; code?: ErrorCode };

const ENTRY = new URL(import.meta.url);
/** The loader that runs TypeScript sources (tsx) is there for main threads only. */
const HAS_THREADS = extname(fileURLToPath(ENTRY)) === '.js';

let thread: Worker | undefined;
let lastId = 0;
const waiting = new Map<number, (answer: Answer) => void>();

/** {@link makeSoundtrack} in the thread, until the signal. */
export async function makeSoundtrackInThread(
  content: SoundtrackContent,
  read: ReadSound,
  signal: AbortSignal,
): Promise<Soundtrack> {
  if (!HAS_THREADS) return makeSoundtrack(content, read, () => signal.aborted);
  // A message would be read when the thread next waits for something: half a minute of sound later.
  const stop = new SharedArrayBuffer(1);
  const onAbort = (): void => {
    new Uint8Array(stop)[0] = 1;
  };
  signal.addEventListener('abort', onAbort);
  // While the sound's file was looked for it may have been given up already.
  if (signal.aborted) onAbort();
  const id = ++lastId;
  const worker = startThread();
  const send = (order: Order): void => worker.postMessage(order);
  worker.ref();
  try {
    return await new Promise<Soundtrack>((resolve, reject) => {
      waiting.set(id, (answer) => {
        if (answer.type === 'failed') reject(restored(answer.error, answer.code));
        // A message between threads turns a Buffer into a plain array of bytes.
        else if (answer.type === 'made') resolve({ ...answer.made, bytes: toBuffer(answer.made.bytes) });
        else {
          const { sha256 } = answer;
          read(sha256).then(
            (file) => worker.postMessage({ type: 'file', id, sha256, file } satisfies Order, movable(file)),
            (error: unknown) => send({ type: 'no file', id, sha256, error }),
          );
        }
      });
      send({ type: 'make', id, content, stop });
    });
  } finally {
    signal.removeEventListener('abort', onAbort);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
  }
}

/** The file's memory goes over to the thread instead of being there twice, where nothing else lies in it. */
function movable({ bytes: { buffer, byteLength } }: SoundFile): ArrayBuffer[] {
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
}

/** Between threads an error loses all but its message. */
function restored(error: unknown, code: ErrorCode | undefined): unknown {
  if (code === undefined) return error;
  return new PreviewError(code, error instanceof Error ? error.message : undefined, { cause: error });
}

function startThread(): Worker {
  if (thread) return thread;
  const started = new Worker(ENTRY);
  started.unref();
  started.on('message', (answer: Answer) => waiting.get(answer.id)?.(answer));
  started.on('error', (error) => {
    thread = undefined;
    for (const [id, tell] of waiting) tell({ type: 'failed', id, error });
  });
  thread = started;
  return started;
}

const toBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

if (!isMainThread && parentPort) {
  const port = parentPort;
  const send = (answer: Answer): void => port.postMessage(answer);
  /** Who waits for a file, by task and digest. */
  const asked = new Map<string, ((order: Order) => void)[]>();
  quietFfmpeg();
  const readFor =
    (id: number): ReadSound =>
    (sha256) =>
      new Promise((resolve, reject) => {
        const place = `${id} ${sha256}`;
        asked.set(place, [
          ...(asked.get(place) ?? []),
          (order) => {
            if (order.type === 'file')
              resolve({ bytes: toBuffer(order.file.bytes), demuxer: order.file.demuxer });
            else if (order.type === 'no file') reject(order.error);
          },
        ]);
        send({ type: 'read', id, sha256 });
      });
  port.on('message', (order: Order) => {
    const { id } = order;
    if (order.type === 'make') {
      const stop = new Uint8Array(order.stop);
      makeSoundtrack(order.content, readFor(id), () => stop[0] === 1).then(
        (made) => send({ type: 'made', id, made }),
        (error: unknown) => {
          const code = error instanceof PreviewError ? { code: error.code } : {};
          send({ type: 'failed', id, error, ...code });
        },
      );
      return;
    }
    const place = `${id} ${order.sha256}`;
    const [first, ...others] = asked.get(place) ?? [];
    if (others.length > 0) asked.set(place, others);
    else asked.delete(place);
    first?.(order);
  });
}
