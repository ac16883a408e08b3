/** A box of ISO/IEC 14496-12: where it begins, how long it says it is, and what of its content is there. */
export interface Box<Bytes extends Uint8Array> {
  type: string;
  at: number;
  length: number;
  body: Bytes;
}

const HEADER = 8;
const LONG_HEADER = 16;

/** A size of 0 means up to the end. A size of 1 means that the size follows the type in 64 bits. */
export function boxAt<Bytes extends Uint8Array>(bytes: Bytes, at: number): Box<Bytes> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const short = view.getUint32(at);
  const isLong = short === 1 && at + LONG_HEADER <= bytes.length;
  const length = isLong ? Number(view.getBigUint64(at + HEADER)) : short === 0 ? bytes.length - at : short;
  const type = String.fromCharCode(...bytes.subarray(at + 4, at + HEADER));
  const body = bytes.subarray(at + (isLong ? LONG_HEADER : HEADER), at + length) as Bytes;
  return { type, at, length, body };
}

/** The boxes that `bytes` consist of, up to the first whose length makes no sense; in a browser, too, which has no Buffer. */
export function* boxesIn<Bytes extends Uint8Array>(bytes: Bytes): Generator<Box<Bytes>> {
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const box = boxAt(bytes, at);
    if (box.length < HEADER) return;
    yield box;
    at += box.length;
  }
}
