import { boxesIn } from './walkBoxes.ts';

/**
 * A copy of the fragments that is moved so that the first sample is decoded at `time`; times within them stay as they are.
 * The service sends it, and the studio makes it of a segment that it has already.
 */
export function moveFragments(fragments: Uint8Array, time: number): Uint8Array<ArrayBuffer> {
  const moved = new Uint8Array(fragments);
  let first: bigint | undefined;
  for (const tfdt of timesIn(moved)) {
    const view = new DataView(tfdt.buffer, tfdt.byteOffset, tfdt.byteLength);
    if (view.getUint8(0) !== 1) throw new Error('the fragment has no time');
    const old = view.getBigUint64(4);
    first ??= old;
    view.setBigUint64(4, old - first + BigInt(time));
  }
  return moved;
}

/** The box `tfdt` of each fragment: version and flags, then in version 1 the time in 64 bits. */
function* timesIn(fragments: Uint8Array): Generator<Uint8Array> {
  for (const moof of boxesIn(fragments)) {
    if (moof.type !== 'moof') continue;
    for (const traf of boxesIn(moof.body)) {
      if (traf.type !== 'traf') continue;
      for (const { type, body } of boxesIn(traf.body)) if (type === 'tfdt') yield body;
    }
  }
}
