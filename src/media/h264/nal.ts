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

/** What most slices never have; looking for it is native and fast, going byte by byte is not. */
const TWO_ZEROS = Buffer.alloc(2);

/** A NAL unit with its header, and with the bytes that keep start codes out of it (7.4.1). */
export function toNal(refIdc: number, type: number, payload: Buffer): Buffer {
  const header = Buffer.from([(refIdc << 5) | type]);
  if (payload.indexOf(TWO_ZEROS) < 0) return Buffer.concat([header, payload]);
  const out = Buffer.allocUnsafe(1 + payload.length + (payload.length >> 1) + 1);
  out[0] = header[0] as number;
  let to = 1;
  let zeros = 0;
  for (let i = 0; i < payload.length; i++) {
    const byte = payload[i] as number;
    if (zeros === 2 && byte <= 3) {
      out[to++] = 3;
      zeros = 0;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    out[to++] = byte;
  }
  return out.subarray(0, to);
}

/** Takes the bytes out that {@link toNal} puts in. */
export function unescapeNal(nal: Buffer): Buffer {
  if (nal.indexOf(TWO_ZEROS) < 0) return nal;
  const out = Buffer.allocUnsafe(nal.length);
  let to = 0;
  let zeros = 0;
  for (let i = 0; i < nal.length; i++) {
    const byte = nal[i] as number;
    if (zeros === 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    out[to++] = byte;
  }
  return out.subarray(0, to);
}
