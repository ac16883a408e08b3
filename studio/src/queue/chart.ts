/** A value at a moment; milliseconds since the epoch. */
export interface Point {
  at: number;
  value: number;
}

export const WINDOW_MS = 120_000;

/** The largest value that a chart has room for: a round number at or above `most`. */
export function roomFor(most: number): number {
  if (most <= 4) return 4;
  const unit = 10 ** Math.floor(Math.log10(most));
  return ([1, 2, 5, 10].find((step) => step * unit >= most) ?? 10) * unit;
}

/** The line of values that hold until the next one, in a box of that size, as an SVG path; and the area below it. */
export function stepLine(
  points: readonly Point[],
  { now, width, height, top }: { now: number; width: number; height: number; top: number },
): { line: string; area: string } {
  const x = (at: number): number => Math.max(0, width * (1 - (now - at) / WINDOW_MS));
  const y = (value: number): number => height * (1 - Math.min(1, value / top));
  // The last one before the window still holds at its beginning.
  const from = points.findLastIndex(({ at }) => at <= now - WINDOW_MS);
  const seen = points.slice(Math.max(0, from));
  const [first] = seen;
  if (!first) return { line: '', area: '' };
  const round = (value: number): string => value.toFixed(1);
  const steps = seen.slice(1).map(({ at, value }) => `H${round(x(at))}V${round(y(value))}`);
  const line = `M${round(x(first.at))} ${round(y(first.value))}${steps.join('')}H${width}`;
  return { line, area: `${line}V${height}H${round(x(first.at))}Z` };
}
