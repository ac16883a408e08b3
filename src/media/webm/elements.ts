/** Elements of EBML (RFC 8794), which WebM files are made of. */

/** The element that all others but the file's header are in (RFC 9559, 5.1). */
export const SEGMENT = 0x18538067;

export interface Element {
  id: number;
  at: number;
  /** Where its content begins, and where that ends as it says itself: Infinity where the length is unknown. */
  start: number;
  end: number;
}

/** The element at a place; undefined where there is none, or its head is damaged or cut off. */
export function elementAt(bytes: Buffer, at: number): Element | undefined {
  const id = numberAt(bytes, at, true);
  const size = id && numberAt(bytes, at + id.length, false);
  if (!id || !size) return undefined;
  const start = at + id.length + size.length;
  return { id: id.value, at, start, end: start + size.value };
}

/** An id keeps the marker of its length, a size loses it; a size of ones alone is unknown. */
function numberAt(
  bytes: Buffer,
  at: number,
  keepsMarker: boolean,
): { value: number; length: number } | undefined {
  const first = bytes[at] ?? 0;
  const length = Math.clz32(first) - 23;
  if (first === 0 || length > 8 || at + length > bytes.length) return undefined;
  const mask = 0xff >> length;
  let value = keepsMarker ? first : first & mask;
  let isUnknown = !keepsMarker && (first & mask) === mask;
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i] as number;
    value = value * 256 + byte;
    isUnknown &&= byte === 0xff;
  }
  return { value: isUnknown ? Number.POSITIVE_INFINITY : value, length };
}
