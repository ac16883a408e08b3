import { createBitWriter } from './bits.ts';

/** The highest quantiser: of no use to what codes no coefficients, and the one at which a skip is surest. */
export const MAX_QP = 51;

/** Initial values of context 24, mb_skip_flag of a B slice with no neighbour unskipped (table 9-14, cabac_init_idc 0). */
export const CABAC_INIT = 0;
const SKIP_CONTEXT = { m: 18, n: 64 };

/** rangeTabLPS (table 9-44) for the states that a context that is always right gets to from {@link SKIP_STATE} on. */
const RANGE_LPS: Readonly<Record<number, readonly number[]>> = {
  57: [7, 9, 11, 12],
  58: [7, 9, 10, 12],
  59: [7, 8, 10, 11],
  60: [6, 8, 9, 11],
  61: [6, 7, 9, 10],
  62: [6, 7, 8, 9],
};
const LAST_STATE = 62;
/** At the highest QP the context is nearly sure of a skip from the start (9.3.1.1): the slice is smallest there. */
const SKIP_STATE = ((SKIP_CONTEXT.m * MAX_QP) >> 4) + SKIP_CONTEXT.n - 64;

/**
 * The data of a slice whose macroblocks are all skipped (9.3.4): for each the flag that says so, which is always the
 * more probable symbol, then one that says whether the slice ends there. A neighbour that is skipped leaves the context at 24.
 */
export function skipAll(macroblocks: number): Buffer {
  const known = skipData.get(macroblocks);
  if (known) return known;
  const bits = createBitWriter();
  let range = 510;
  let low = 0;
  let outstanding = 0;
  let first = true;
  const put = (bit: number): void => {
    if (first) first = false;
    else bits.write(bit, 1);
    for (; outstanding > 0; outstanding--) bits.write(1 - bit, 1);
  };
  const renormalise = (): void => {
    while (range < 256) {
      if (low < 256) put(0);
      else if (low >= 512) {
        low -= 512;
        put(1);
      } else {
        low -= 256;
        outstanding++;
      }
      range <<= 1;
      low <<= 1;
    }
  };
  let state = SKIP_STATE;
  for (let i = 1; i <= macroblocks; i++) {
    range -= RANGE_LPS[state]?.[(range >> 6) & 3] as number;
    if (state < LAST_STATE) state++;
    renormalise();
    range -= 2;
    if (i === macroblocks) {
      low += range;
      range = 2;
    }
    renormalise();
  }
  put((low >> 9) & 1);
  // The last bit written is the stop bit of the slice.
  bits.write(((low >> 7) & 3) | 1, 2);
  const data = bits.bytes();
  skipData.set(macroblocks, data);
  return data;
}

const skipData = new Map<number, Buffer>();
