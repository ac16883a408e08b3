import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { PreviewError } from '../../errors.ts';
import type { Answer, Order, SoundFile } from './soundOrders.ts';
import { makeSoundtrack, type Soundtrack, type SoundtrackMaker } from './soundtrack.ts';

const EXTENSION = extname(fileURLToPath(import.meta.url));
const ENTRY = new URL(`./soundWorker${EXTENSION}`, import.meta.url);

/**
 * Makes soundtracks in a thread of its own. Mixing and measuring is JavaScript; in the thread of the slides it would keep
 * them waiting (ten steps with music on two cores: 1.0 s instead of 1.2 s). The first soundtrack starts the thread, the next
 * one finds it running, and it does not keep the process from ending.
 *
 * The thread asks for a file when its sound is about to be heard, so only what is heard is in memory.
 */
export function createSoundThread(): SoundtrackMaker {
  // The loader that runs TypeScript sources (tsx) is there for main threads only.
  if (EXTENSION !== '.js') return makeSoundtrack;
  let thread: Worker | undefined;
  let lastId = 0;
  const waiting = new Map<number, (answer: Answer) => void>();

  const startThread = (): Worker => {
    if (thread) return thread;
    const started = new Worker(ENTRY);
    started.on('message', (answer: Answer) => waiting.get(answer.id)?.(answer));
    started.on('error', (error) => {
      thread = undefined;
      for (const [id, tell] of waiting) tell({ type: 'failed', id, error });
    });
    thread = started;
    return started;
  };

  return async (content, read, signal) => {
    // The thread reads messages only when it waits for something, perhaps half a minute of sound later. It reads memory at once.
    const stop = new SharedArrayBuffer(1);
    const onAbort = (): void => {
      new Uint8Array(stop)[0] = 1;
    };
    signal.addEventListener('abort', onAbort);
    // The render may have been given up while the sound's file was looked for.
    if (signal.aborted) onAbort();
    const id = ++lastId;
    const worker = startThread();
    const send = (order: Order, moved: ArrayBuffer[] = []): void => worker.postMessage(order, moved);
    worker.ref();
    try {
      return await new Promise<Soundtrack>((resolve, reject) => {
        waiting.set(id, (answer) => {
          if (answer.type === 'failed') reject(restored(answer));
          // A message between threads turns a Buffer into a plain array of bytes.
          else if (answer.type === 'made') resolve({ ...answer.made, bytes: asBuffer(answer.made.bytes) });
          else {
            const { sha256 } = answer;
            read(sha256).then(
              (file) => send({ type: 'file', id, sha256, file }, movable(file)),
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
  };
}

/** The file's memory, where nothing else lies in it: it is handed over to the thread instead of being copied. */
function movable({ bytes: { buffer, byteLength } }: SoundFile): ArrayBuffer[] {
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
}

/** Between threads an error loses all but its message. */
function restored({ error, code }: Extract<Answer, { type: 'failed' }>): unknown {
  if (code === undefined) return error;
  return new PreviewError(code, error instanceof Error ? error.message : undefined, { cause: error });
}

const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);
