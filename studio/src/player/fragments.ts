/* Fragments of ISO/IEC 14496-12: the time at which one stands is in its box `tfdt`. */

/** A copy of the fragments, whose first sample is decoded at `time`, in units of its timescale. */
export function moveFragments(fragments: ArrayBuffer, time: number): ArrayBuffer {
  const moved = fragments.slice(0);
  const view = new DataView(moved);
  let first: bigint | undefined;
  for (const moof of boxes(view, 0, moved.byteLength, 'moof')) {
    for (const traf of boxes(view, moof.start, moof.end, 'traf')) {
      for (const { start } of boxes(view, traf.start, traf.end, 'tfdt')) {
        // Version 1: 64 bits behind version and flags.
        const at = view.getBigUint64(start + 4);
        first ??= at;
        view.setBigUint64(start + 4, at - first + BigInt(time));
      }
    }
  }
  return moved;
}

const HEADER = 8;

/** Where the contents of the boxes of that type lie. */
function* boxes(view: DataView, from: number, to: number, type: string) {
  for (let at = from; at + HEADER <= to; ) {
    const size = Math.max(HEADER, view.getUint32(at));
    const name = String.fromCharCode(...[4, 5, 6, 7].map((i) => view.getUint8(at + i)));
    if (name === type) yield { start: at + HEADER, end: at + size };
    at += size;
  }
}
