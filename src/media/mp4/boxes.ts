/** Boxes of ISO/IEC 14496-12 and the numbers in them, all big-endian. */
import { boxesIn } from './walkBoxes.ts';

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

/** The contents of all boxes of a type, at the top level of `bytes`. */
export const boxes = (bytes: Buffer, type: string): Buffer[] =>
  [...boxesIn(bytes)].filter((found) => found.type === type).map(({ body }) => body);
