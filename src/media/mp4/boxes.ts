/** Boxes of ISO/IEC 14496-12 and the numbers in them, all big-endian. */

export const u8 = (...values: number[]): Buffer => Buffer.from(values);
export const u16 = (...values: number[]): Buffer => {
  const out = Buffer.allocUnsafe(values.length * 2);
  for (let i = 0; i < values.length; i++) out.writeUInt16BE(values[i] as number, i * 2);
  return out;
};
export const u32 = (...values: number[]): Buffer => u32List(values);
export const u64 = (...values: number[]): Buffer => u64List(values);

/** Of a table, which may be longer than a call can have arguments. */
export function u32List(values: readonly number[]): Buffer {
  const out = Buffer.allocUnsafe(values.length * 4);
  for (let i = 0; i < values.length; i++) out.writeUInt32BE((values[i] as number) >>> 0, i * 4);
  return out;
}

export function u64List(values: readonly number[]): Buffer {
  const out = Buffer.allocUnsafe(values.length * 8);
  for (let i = 0; i < values.length; i++) out.writeBigUInt64BE(BigInt(values[i] as number), i * 8);
  return out;
}

export const text = (value: string): Buffer => Buffer.from(value, 'latin1');

export function box(type: string, ...content: Buffer[]): Buffer {
  const size = content.reduce((sum, part) => sum + part.length, 8);
  return Buffer.concat([u32(size), text(type), ...content], size);
}

export const fullBox = (type: string, version: number, flags: number, ...content: Buffer[]): Buffer =>
  box(type, u32((version << 24) | flags), ...content);

export const zeros = (count: number): Buffer => Buffer.alloc(count);

/** A box: where it begins, how long it says it is, and what of its content is there. */
export interface Box {
  type: string;
  at: number;
  length: number;
  body: Buffer;
}

/** A size of 0 reaches to the end, one of 1 stands behind the type in 64 bits. */
export function boxAt(bytes: Buffer, at: number): Box {
  const short = bytes.readUInt32BE(at);
  const isLong = short === 1 && at + 16 <= bytes.length;
  const length = isLong ? Number(bytes.readBigUInt64BE(at + 8)) : short === 0 ? bytes.length - at : short;
  const type = bytes.toString('latin1', at + 4, at + 8);
  return { type, at, length, body: bytes.subarray(at + (isLong ? 16 : 8), at + length) };
}

/** The boxes that `bytes` consist of, up to the first whose length makes no sense. */
export function* boxesIn(bytes: Buffer): Generator<Box> {
  for (let at = 0; at + 8 <= bytes.length; ) {
    const box = boxAt(bytes, at);
    if (box.length < 8) return;
    yield box;
    at += box.length;
  }
}

/** The contents of all boxes of a type, at the top level of `bytes`. */
export const boxes = (bytes: Buffer, type: string): Buffer[] =>
  [...boxesIn(bytes)].filter((found) => found.type === type).map(({ body }) => body);
