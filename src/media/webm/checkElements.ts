/** What a WebM file from outside may hold (RFC 8794, RFC 9559), looked at before FFmpeg reads it. */
import { BeyondLimits, MAX_STREAMS, NotAccepted } from '../limits.ts';

const [SEGMENT, TRACKS, TRACK_ENTRY, CLUSTER] = [0x18538067, 0x1654ae6b, 0xae, 0x1f43b675];
const [CONTENT_ENCODINGS, ATTACHMENTS] = [0x6d80, 0x1941a469];
const CONTAINERS = new Set([SEGMENT, TRACKS, TRACK_ENTRY]);
const MAX_ELEMENTS = 200_000;

interface Found {
  elements: number;
  tracks: number;
}

/** @throws NotAccepted, BeyondLimits */
export function checkElements(file: Buffer): void {
  walk(file, { elements: 0, tracks: 0 });
}

function walk(bytes: Buffer, found: Found): void {
  for (let at = 0; at < bytes.length; ) {
    const id = numberAt(bytes, at, true);
    const size = id && numberAt(bytes, at + id.length, false);
    if (!id || !size) return;
    const start = at + id.length + size.length;
    const end = size.isUnknown ? bytes.length : Math.min(bytes.length, start + size.value);
    if (++found.elements > MAX_ELEMENTS) throw new BeyondLimits(`has more than ${MAX_ELEMENTS} elements`);
    check(id.value, found);
    if (CONTAINERS.has(id.value)) walk(bytes.subarray(start, end), found);
    // What is in a cluster of unknown length is looked at as if it stood beside it.
    at = id.value === CLUSTER && size.isUnknown ? start : end;
  }
}

function check(id: number, found: Found): void {
  if (id === TRACK_ENTRY && ++found.tracks > MAX_STREAMS)
    throw new BeyondLimits(`has more than ${MAX_STREAMS} tracks`);
  // WebM has neither; a compressed block of a few kilobytes could become ten megabytes, thousands of times.
  if (id === CONTENT_ENCODINGS)
    throw new NotAccepted('has compressed or encrypted tracks, which WebM has not');
  if (id === ATTACHMENTS) throw new NotAccepted('has attachments, which WebM has not');
}

/** An id keeps the marker of its length, a size loses it; a size of ones alone is unknown. */
function numberAt(
  bytes: Buffer,
  at: number,
  keepsMarker: boolean,
): { value: number; length: number; isUnknown: boolean } | undefined {
  const first = bytes[at] ?? 0;
  const length = Math.clz32(first) - 23;
  if (first === 0 || length > 8 || at + length > bytes.length) return undefined;
  const mask = 0xff >> length;
  let value = keepsMarker ? first : first & mask;
  let isUnknown = (first & mask) === mask;
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i] as number;
    value = value * 256 + byte;
    isUnknown &&= byte === 0xff;
  }
  return { value, length, isUnknown };
}
