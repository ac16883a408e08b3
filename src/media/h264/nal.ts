/** NAL units and the byte streams that they come in (ITU-R H.264, 7.4.1 and annex B). */

export const NAL = { slice: 1, idr: 5, sei: 6, sps: 7, pps: 8 } as const;

/** Splits a byte stream with start codes (annex B) into NAL units. */
export function splitNals(stream: Buffer): Buffer[] {
  const starts: number[] = [];
  for (let at = stream.indexOf(START_CODE); at >= 0; at = stream.indexOf(START_CODE, at + 3)) starts.push(at);
  return starts.map((start, i) => {
    let end = starts[i + 1] ?? stream.length;
    while (end > start + 3 && stream[end - 1] === 0) end--;
    return stream.subarray(start + 3, end);
  });
}

const START_CODE = Buffer.from([0, 0, 1]);
/** The slices of a byte stream: what shows pictures, without parameter sets and messages of the encoder. */
export const slicesOf = (stream: Buffer): Buffer[] =>
  splitNals(stream).filter((nal) => nalType(nal) === NAL.idr || nalType(nal) === NAL.slice);

export const nalType = (nal: Buffer): number => (nal[0] as number) & 31;

const TWO_ZEROS = Buffer.alloc(2);
/** What an escape looks like: the third byte is not of the payload. */
const ESCAPED = Buffer.from([0, 0, 3]);
const ESCAPE = ESCAPED.subarray(2);

/**
 * A NAL unit with its header, and with the bytes that keep start codes out of it (7.4.1). Two zeros in a row are rare in
 * a slice; looking for them is native and fast, going byte by byte is not.
 */
export function toNal(refIdc: number, type: number, payload: Buffer): Buffer {
  const pieces: Buffer[] = [Buffer.from([(refIdc << 5) | type])];
  let start = 0;
  for (let at = payload.indexOf(TWO_ZEROS); at >= 0; ) {
    const next = at + 2;
    if (next < payload.length && (payload[next] as number) <= 3) {
      pieces.push(payload.subarray(start, next), ESCAPE);
      start = next;
      at = payload.indexOf(TWO_ZEROS, next);
    } else at = payload.indexOf(TWO_ZEROS, at + 1);
  }
  pieces.push(payload.subarray(start));
  return Buffer.concat(pieces);
}

/** Takes the bytes out that {@link toNal} puts in. */
export function unescapeNal(nal: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let start = 0;
  for (let at = nal.indexOf(ESCAPED); at >= 0; at = nal.indexOf(ESCAPED, start)) {
    pieces.push(nal.subarray(start, at + 2));
    start = at + 3;
  }
  if (pieces.length === 0) return nal;
  pieces.push(nal.subarray(start));
  return Buffer.concat(pieces);
}
