import { moveFragments } from '../../../src/media/mp4/moveFragments.ts';
import { send } from '../api/call.ts';

/** Enough for some minutes of preview. */
const MOST_BYTES = 96 * 1024 * 1024;

/*
 * Caches segments by the digest in their address. A segment that an edit moved has another address but the same bytes, except
 * for its time. So it is moved here instead of being downloaded again. The oldest are forgotten first.
 */
const kept = new Map<string, Promise<ArrayBuffer>>();
let keptBytes = 0;

const ADDRESS = /\/artifacts\/([0-9a-f]{64})\/(?:(\d+)\.m4s)?/;

/** The bytes of a segment, or of a range of a file. @throws Problem */
export async function segmentBytes(
  url: string,
  range?: { start: number; end: number },
): Promise<{ bytes: ArrayBuffer; fetched: boolean }> {
  const [, digest, time] = ADDRESS.exec(url) ?? [];
  const key = digest === undefined ? url : `${digest} ${range ? `${range.start}-${range.end}` : ''}`;
  const known = kept.get(key);
  const bytes = known ?? keep(key, fetchBytes(url, range));
  const whole = await bytes;
  return {
    bytes: time === undefined ? whole.slice(0) : moveFragments(new Uint8Array(whole), Number(time)).buffer,
    fetched: known === undefined,
  };
}

function keep(key: string, bytes: Promise<ArrayBuffer>): Promise<ArrayBuffer> {
  kept.set(key, bytes);
  bytes.then(
    ({ byteLength }) => {
      keptBytes += byteLength;
      for (const [oldest, old] of kept) {
        if (keptBytes <= MOST_BYTES) break;
        kept.delete(oldest);
        void old.then((gone) => {
          keptBytes -= gone.byteLength;
        });
      }
    },
    () => kept.delete(key),
  );
  return bytes;
}

async function fetchBytes(url: string, range?: { start: number; end: number }): Promise<ArrayBuffer> {
  const headers = range ? { range: `bytes=${range.start}-${range.end - 1}` } : undefined;
  return (await send(url, headers ? { headers } : {})).arrayBuffer();
}
