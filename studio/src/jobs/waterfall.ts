import type { MadePart } from '../api/types.ts';

/** A part's place in a lane, in thousandths of the whole width. */
export interface Bar {
  left: number;
  width: number;
  reused: boolean;
  title: string;
}

/** All parts of one kind. */
export interface Lane {
  kind: string;
  bars: Bar[];
  made: number;
  reused: number;
}

export interface Waterfall {
  lanes: Lane[];
  milliseconds: number;
}

/** What an attempt made and when, by kind, in the order in which the kinds began. */
export function buildWaterfall(parts: readonly MadePart[]): Waterfall {
  const times = parts.map(({ startedAt, endedAt }) => [Date.parse(startedAt), Date.parse(endedAt)] as const);
  const start = Math.min(...times.map(([from]) => from));
  const milliseconds = Math.max(1, Math.max(...times.map(([, to]) => to)) - start);
  const lanes = new Map<string, Lane>();
  parts.forEach(({ kind, reused }, i) => {
    const [from = start, to = start] = times[i] ?? [];
    const lane = lanes.get(kind) ?? { kind, bars: [], made: 0, reused: 0 };
    lanes.set(kind, lane);
    if (reused) lane.reused++;
    else lane.made++;
    lane.bars.push({
      left: ((from - start) / milliseconds) * 1000,
      width: ((to - from) / milliseconds) * 1000,
      reused,
      title: `${kind}, ${reused ? 'reused' : `${Math.round(to - from)} ms`}`,
    });
  });
  const firstOf = ({ bars }: Lane): number => Math.min(...bars.map(({ left }) => left));
  return { milliseconds, lanes: [...lanes.values()].sort((a, b) => firstOf(a) - firstOf(b)) };
}
