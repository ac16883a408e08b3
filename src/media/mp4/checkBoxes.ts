/**
 * Checks what an MP4 file from outside contains, before FFmpeg builds its tables from it (ISO/IEC 14496-12). Damaged boxes are
 * left to FFmpeg, which knows how to continue.
 */
import { BeyondLimits, MAX_SAMPLES, MAX_STREAMS, NotAccepted } from '../limits.ts';
import { boxesIn } from './walkBoxes.ts';

/** The boxes on the way to the tables. */
const CONTAINERS = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl', 'dinf', 'edts', 'moof', 'traf', 'mvex']);
/** The offset in a table's box of the number of its entries or samples. */
const COUNTS = new Map([
  ...['stsz', 'stz2'].map((type): [string, number] => [type, 8]),
  ...['stts', 'ctts', 'stsc', 'stss', 'stco', 'co64'].map((type): [string, number] => [type, 4]),
]);
const MAX_DEPTH = 8;
const MAX_BOXES = 200_000;
const MAX_EDITS = 1000;

interface Found {
  boxes: number;
  tracks: number;
  /** Of all fragments. */
  samples: number;
}

/** @throws NotAccepted, BeyondLimits */
export function checkBoxes(file: Buffer): void {
  walk(file, 0, { boxes: 0, tracks: 0, samples: 0 });
}

function walk(bytes: Buffer, depth: number, found: Found): void {
  for (const { type, body } of boxesIn(bytes)) {
    if (++found.boxes > MAX_BOXES) throw new BeyondLimits(`has more than ${MAX_BOXES} boxes`);
    check(type, body, found);
    if (CONTAINERS.has(type) && depth < MAX_DEPTH) walk(body, depth + 1, found);
  }
}

function check(type: string, body: Buffer, found: Found): void {
  if (type === 'trak' && ++found.tracks > MAX_STREAMS)
    throw new BeyondLimits(`has more than ${MAX_STREAMS} tracks`);
  if (type === 'cmov') throw new NotAccepted('has a compressed index');
  if (type === 'rmra') throw new NotAccepted('names other files');
  if (type === 'elst' && word(body, 4) > MAX_EDITS)
    throw new BeyondLimits(`has more than ${MAX_EDITS} edits`);
  if (type === 'dref') checkReferences(body);
  if (type === 'trun') {
    found.samples += word(body, 4);
    checkSamples(found.samples);
  }
  const count = COUNTS.get(type);
  if (count !== undefined) checkSamples(word(body, count));
}

/** Each entry of `dref` says by its first flag that the samples are in this very file (8.7.2). */
function checkReferences(dref: Buffer): void {
  for (const { body } of boxesIn(dref.subarray(8)))
    if (body.length >= 4 && (word(body, 0) & 1) === 0) throw new NotAccepted('refers to other files');
}

function checkSamples(count: number): void {
  if (count > MAX_SAMPLES)
    throw new BeyondLimits(`has ${count} samples, and at most ${MAX_SAMPLES} are read`);
}

const word = (bytes: Buffer, at: number): number => (at + 4 <= bytes.length ? bytes.readUInt32BE(at) : 0);
