/** The thread in which soundtracks are made; started by soundThread.ts. */
import { parentPort } from 'node:worker_threads';
import { PreviewError } from '../../errors.ts';
import { quietFfmpeg } from '../../media/ffmpeg.ts';
import type { ReadSound } from './readSound.ts';
import type { Answer, Order } from './soundOrders.ts';
import { makeSoundtrack } from './soundtrack.ts';

if (!parentPort) throw new Error('this module is started as a thread');
const port = parentPort;
const send = (answer: Answer): void => port.postMessage(answer);
/** Who waits for a file, by task and digest. */
const asked = new Map<string, ((order: Order) => void)[]>();

quietFfmpeg();
port.on('message', (order: Order) => {
  if (order.type === 'make') void make(order);
  else hand(order);
});

async function make({ id, content, stop }: Extract<Order, { type: 'make' }>): Promise<void> {
  const stopped = new Uint8Array(stop);
  const until = {
    get aborted() {
      return stopped[0] === 1;
    },
  };
  try {
    send({ type: 'made', id, made: await makeSoundtrack(content, readFor(id), until) });
  } catch (error) {
    send({ type: 'failed', id, error, ...(error instanceof PreviewError ? { code: error.code } : {}) });
  }
}

function readFor(id: number): ReadSound {
  return (sha256) =>
    new Promise((resolve, reject) => {
      const place = `${id} ${sha256}`;
      const take = (order: Order): void => {
        if (order.type === 'file') {
          const { bytes, demuxer } = order.file;
          resolve({ bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), demuxer });
        } else if (order.type === 'no file') reject(order.error);
      };
      asked.set(place, [...(asked.get(place) ?? []), take]);
      send({ type: 'read', id, sha256 });
    });
}

/** Gives the file, or the news that there is none, to the first who asked for it. */
function hand(order: Exclude<Order, { type: 'make' }>): void {
  const place = `${order.id} ${order.sha256}`;
  const [first, ...others] = asked.get(place) ?? [];
  if (others.length > 0) asked.set(place, others);
  else asked.delete(place);
  first?.(order);
}
