/** Checks what a WebM file from outside contains (RFC 8794, RFC 9559), before FFmpeg reads it. */
import { BeyondLimits, MAX_STREAMS, NotAccepted } from '../limits.ts';
import { elementAt, SEGMENT } from './elements.ts';

const [TRACKS, TRACK_ENTRY, CLUSTER] = [0x1654ae6b, 0xae, 0x1f43b675];
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
  for (let element = elementAt(bytes, 0); element; ) {
    const { id, start, end } = element;
    if (++found.elements > MAX_ELEMENTS) throw new BeyondLimits(`has more than ${MAX_ELEMENTS} elements`);
    check(id, found);
    if (CONTAINERS.has(id)) walk(bytes.subarray(start, end), found);
    // The content of a cluster of unknown length is checked as if it followed the cluster.
    element = elementAt(bytes, id === CLUSTER && end === Number.POSITIVE_INFINITY ? start : end);
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
