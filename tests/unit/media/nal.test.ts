import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toNal, unescapeNal } from '../../../src/media/h264/nal.ts';

/** 7.4.1 to the letter: after two zeros, a byte of at most 3 is put behind a 3. */
function escapedByteByByte(payload: Buffer): number[] {
  const out: number[] = [];
  let zeros = 0;
  for (const byte of payload) {
    if (zeros === 2 && byte <= 3) {
      out.push(3);
      zeros = 0;
    }
    out.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return out;
}

/** Mostly bytes that matter here. */
const payloads = fc
  .array(fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 5 })), {
    maxLength: 40,
  })
  .map((bytes) => Buffer.from([...bytes, 0x80]));

describe('NAL units', () => {
  it('keep start codes out, as the standard says', () => {
    fc.assert(
      fc.property(payloads, (payload) => {
        expect([...toNal(3, 5, payload)]).toEqual([0x65, ...escapedByteByByte(payload)]);
      }),
      { numRuns: 2000 },
    );
  });

  it('come back as they were', () => {
    fc.assert(
      fc.property(payloads, (payload) => {
        expect(
          unescapeNal(toNal(0, 1, payload))
            .subarray(1)
            .equals(payload),
        ).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
