/** Reads numbers of any width, and Exp-Golomb codes. */
export function createBitReader(bytes: Buffer) {
  let at = 0;
  const read = (count: number): number => {
    let value = 0;
    for (let i = 0; i < count; i++, at++) {
      value = value * 2 + (((bytes[at >> 3] as number) >> (7 - (at & 7))) & 1);
    }
    return value;
  };
  /** Exp-Golomb (9.1). */
  const ue = (): number => {
    let zeros = 0;
    while (read(1) === 0) if (++zeros > 32) throw new Error('the bits make no sense');
    return 2 ** zeros - 1 + read(zeros);
  };
  const se = (): number => {
    const code = ue();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  };
  return { read, ue, se, position: () => at };
}

export type BitWriter = ReturnType<typeof createBitWriter>;

export function createBitWriter() {
  const out: number[] = [];
  let byte = 0;
  let filled = 0;
  const write = (value: number, count: number): void => {
    for (let i = count - 1; i >= 0; i--) {
      byte = (byte << 1) | (Math.floor(value / 2 ** i) & 1);
      if (++filled === 8) {
        out.push(byte);
        byte = 0;
        filled = 0;
      }
    }
  };
  const ue = (value: number): void => {
    const length = Math.floor(Math.log2(value + 1));
    write(0, length);
    write(value + 1, length + 1);
  };
  return {
    write,
    ue,
    se: (value: number) => ue(value > 0 ? 2 * value - 1 : -2 * value),
    alignWithOnes(): void {
      while (filled > 0) write(1, 1);
    },
    /** What was written, filled up with zeros to a whole byte. */
    bytes(): Buffer {
      while (filled > 0) write(0, 1);
      return Buffer.from(out);
    },
  };
}
