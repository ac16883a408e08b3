/**
 * H.264 by hand, where no encoder is needed: a still that was encoded once is placed again in another sequence by giving
 * it a new slice header, and a fade between two stills is a few dozen bytes a frame that no encoder ever saw.
 *
 * The fade uses implicit weighted bi-prediction (ITU-R H.264, 8.4.2.3.1): a skipped macroblock of a B slice is the mean of
 * both reference pictures, weighted by its distance to them in picture order. So a B slice that skips everything, placed
 * between two stills, is exactly their crossfade. It costs nothing to make and nothing to store, and shows both
 * pictures as good as they are themselves.
 *
 * A still may bring another picture with it that is predicted from it: the same without its words, of which hardly a
 * macroblock has data. It, too, is placed again by its header alone, always right behind the still in decoding order.
 */
import { type BitWriter, createBitReader, createBitWriter } from './bits.ts';
import { NAL, nalType, slicesOf, splitNals, toNal, unescapeNal } from './nal.ts';
import { CABAC_INIT, MAX_QP, skipAll } from './skippedSlice.ts';

/** What of the parameter sets decides how slices are written. */
export interface ParameterSets {
  sps: Buffer;
  pps: Buffer;
  frameNumBits: number;
  orderBits: number;
  macroblocks: number;
  initialQp: number;
  hasDeblockingControl: boolean;
}

/** A picture that was encoded once, and what its place in a sequence does not change. */
export interface CodedPicture {
  sets: ParameterSets;
  /** The slice's bytes without emulation prevention, header included. */
  slice: Buffer;
  /** Whether it is predicted from the reference picture that is decoded right before it. */
  predicted: boolean;
  cabacInit: number;
  qpDelta: number;
  deblocking: { idc: number; alpha: number; beta: number };
  /** Where the macroblocks begin in `slice`. */
  dataStart: number;
}

/** Slice types of which the whole picture is (table 7-6). */
const [SLICE_P, SLICE_B, SLICE_I] = [5, 6, 7];
/** Pictures between two stills at most: weights have 64 steps (8.4.2.3.1), so that more would not show more. */
export const MAX_FADE_PICTURES = 62;
/**
 * A still may be decoded before two fades that lead to it. Its place in picture order and that of the picture before them
 * must differ by less than half of what these bits hold (8.2.1.1).
 */
const LEAST_ORDER_BITS = 1 + Math.ceil(Math.log2(2 * (MAX_FADE_PICTURES + 1)));
/** What one fade after the other takes: the still before, the one after, and the one that this is predicted from. */
const LEAST_REFERENCES = 3;

/** Reads the parameter sets out of an encoder's extradata (annex B). @throws Error where they are not what x264 writes */
export function readParameterSets(extradata: Buffer): ParameterSets {
  const nals = splitNals(extradata);
  const sps = nals.find((nal) => nalType(nal) === NAL.sps);
  const pps = nals.find((nal) => nalType(nal) === NAL.pps);
  if (!sps || !pps) throw new Error('the encoder left no parameter sets');
  return { sps, pps, ...parseSps(sps), ...parsePps(pps) };
}

const HIGH_PROFILES = new Set([100, 110, 122, 244, 44]);

function parseSps(nal: Buffer): { frameNumBits: number; orderBits: number; macroblocks: number } {
  const bits = createBitReader(unescapeNal(nal.subarray(1)));
  const profile = bits.read(8);
  bits.read(16);
  bits.ue();
  if (HIGH_PROFILES.has(profile)) {
    require420(bits.ue());
    bits.ue();
    bits.ue();
    bits.read(1);
    if (bits.read(1)) throw new Error('scaling matrices are not expected');
  }
  const frameNumBits = bits.ue() + 4;
  if (bits.ue() !== 0) throw new Error('picture order count type 0 is expected');
  const orderBits = bits.ue() + 4;
  if (orderBits < LEAST_ORDER_BITS) throw new Error('two fades in a row need wider order counts');
  if (bits.ue() < LEAST_REFERENCES) throw new Error('two fades in a row need three reference frames');
  bits.read(1);
  const width = bits.ue() + 1;
  const height = bits.ue() + 1;
  if (!bits.read(1)) throw new Error('frames are expected, not fields');
  return { frameNumBits, orderBits, macroblocks: width * height };
}

function require420(chromaFormat: number): void {
  if (chromaFormat !== 1) throw new Error('4:2:0 is expected');
}

function parsePps(nal: Buffer): { initialQp: number; hasDeblockingControl: boolean } {
  const bits = createBitReader(unescapeNal(nal.subarray(1)));
  bits.ue();
  bits.ue();
  if (!bits.read(1)) throw new Error('CABAC is expected');
  if (bits.read(1)) throw new Error('bottom field orders are not expected');
  if (bits.ue() !== 0) throw new Error('slice groups are not expected');
  if (bits.ue() !== 0 || bits.ue() !== 0) throw new Error('one reference in each list is expected');
  if (bits.read(1)) throw new Error('no explicit weights are expected');
  if (bits.read(2) !== 2) throw new Error('implicit weighted bi-prediction is expected');
  const initialQp = bits.se() + 26;
  bits.se();
  bits.se();
  const hasDeblockingControl = bits.read(1) === 1;
  bits.read(1);
  if (bits.read(1)) throw new Error('redundant pictures are not expected');
  return { initialQp, hasDeblockingControl };
}

/** Reads pictures out of a byte stream (annex B): parameter sets, an IDR picture, and what is predicted from it. */
export function readPictures(stream: Buffer): CodedPicture[] {
  const sets = readParameterSets(stream);
  return slicesOf(stream).map((nal, i) => {
    const picture = readPicture(sets, nal);
    if (picture.predicted !== i > 0) throw new Error('an IDR picture comes first, and only there');
    return picture;
  });
}

/** Reads the header of a picture of one slice. @throws Error where it is not what x264 writes */
export function readPicture(sets: ParameterSets, nal: Buffer): CodedPicture {
  const slice = unescapeNal(nal.subarray(1));
  const predicted = nalType(nal) === NAL.slice;
  const bits = createBitReader(slice);
  if (bits.ue() !== 0) throw new Error('a picture is one slice');
  if (bits.ue() !== (predicted ? SLICE_P : SLICE_I)) throw new Error('an IDR or a P picture is expected');
  bits.ue();
  bits.read(sets.frameNumBits);
  if (!predicted) bits.ue();
  bits.read(sets.orderBits);
  let cabacInit = 0;
  if (predicted) {
    // One reference, lists that are not reordered, marking by the sliding window.
    if (bits.read(3) !== 0) throw new Error('a prediction from the picture before is expected');
    cabacInit = bits.ue();
  } else bits.read(2);
  const qpDelta = bits.se();
  const deblocking = { idc: 0, alpha: 0, beta: 0 };
  if (sets.hasDeblockingControl) {
    deblocking.idc = bits.ue();
    if (deblocking.idc !== 1) {
      deblocking.alpha = bits.se();
      deblocking.beta = bits.se();
    }
  }
  return {
    sets,
    slice,
    predicted,
    cabacInit,
    qpDelta,
    deblocking,
    dataStart: Math.ceil(bits.position() / 8),
  };
}

/** Where a picture stands in its sequence, which begins with an IDR picture at order 0. */
export interface Place {
  /** Reference pictures that were decoded before it. */
  references: number;
  /** Its picture order count; the weight of a fade's frame follows from its distances to both stills. */
  order: number;
}

/**
 * The picture as a NAL unit: at the beginning of a sequence as IDR picture, elsewhere as an I picture that others may
 * refer to, or as a P picture where it is predicted. The macroblocks are the same bytes; only the header differs.
 */
export function placePicture(picture: CodedPicture, place: Place): Buffer {
  const { sets, predicted } = picture;
  const first = place.references === 0;
  const bits = createBitWriter();
  bits.ue(0);
  bits.ue(predicted ? SLICE_P : SLICE_I);
  bits.ue(0);
  writePlace(bits, sets, place, first ? idrId(picture.slice) : undefined);
  // The number of references is the PPS's; their list is not reordered.
  if (predicted) bits.write(0, 2);
  // dec_ref_pic_marking: an IDR picture has two flags, another one the question whether marking is adaptive.
  bits.write(0, first ? 2 : 1);
  if (predicted) bits.ue(picture.cabacInit);
  bits.se(picture.qpDelta);
  if (sets.hasDeblockingControl) {
    const { idc, alpha, beta } = picture.deblocking;
    bits.ue(idc);
    if (idc !== 1) {
      bits.se(alpha);
      bits.se(beta);
    }
  }
  bits.alignWithOnes();
  const payload = Buffer.concat([bits.bytes(), picture.slice.subarray(picture.dataStart)]);
  return toNal(3, first ? NAL.idr : NAL.slice, payload);
}

/** A frame in which every macroblock is the weighted mean of the reference before and the one after it. */
export const fadeFrame = (sets: ParameterSets, place: Place): Buffer =>
  // Neither list is reordered.
  skippedFrame(sets, place, (bits) => bits.write(0b00, 2));

/** A frame that repeats the last reference, which is before it: both of its references are that one. */
export const repeatFrame = (sets: ParameterSets, place: Place): Buffer =>
  skippedFrame(sets, place, (bits) => {
    bits.write(0b01, 2);
    // The second list begins with the picture whose number is one less (8.2.4.3.1), and that is all of it.
    bits.ue(0);
    bits.ue(0);
    bits.ue(3);
  });

function skippedFrame(sets: ParameterSets, place: Place, writeLists: (bits: BitWriter) => void): Buffer {
  const bits = createBitWriter();
  bits.ue(0);
  bits.ue(SLICE_B);
  bits.ue(0);
  writePlace(bits, sets, place);
  // Direct prediction is spatial; the numbers of references are the PPS's.
  bits.write(0b10, 2);
  writeLists(bits);
  bits.ue(CABAC_INIT);
  bits.se(MAX_QP - sets.initialQp);
  if (sets.hasDeblockingControl) bits.ue(1);
  bits.alignWithOnes();
  return toNal(0, NAL.slice, Buffer.concat([bits.bytes(), skipAll(sets.macroblocks)]));
}

function writePlace(bits: BitWriter, sets: ParameterSets, place: Place, idr?: number): void {
  bits.write(place.references % 2 ** sets.frameNumBits, sets.frameNumBits);
  if (idr !== undefined) bits.ue(idr);
  bits.write(place.order % 2 ** sets.orderBits, sets.orderBits);
}

/** Two IDR pictures in a row must have different numbers (7.4.3); this one comes from what the picture shows. */
function idrId(slice: Buffer): number {
  let sum = slice.length;
  for (let i = 0; i < Math.min(slice.length, 4096); i++) sum = (sum * 31 + (slice[i] as number)) % 65_521;
  return sum;
}
