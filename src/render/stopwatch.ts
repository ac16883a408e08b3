import type { StageTimings } from '../job/jobRecord.ts';

type TimedStage = keyof StageTimings;

/** Adds up how long each stage took, in milliseconds of wall time; stages that overlap are each counted in full. */
export function createStopwatch() {
  const started = performance.now();
  const cpuBefore = process.cpuUsage();
  const sums = new Map<TimedStage, number>();
  return {
    async time<Result>(stage: TimedStage, work: () => Promise<Result>): Promise<Result> {
      const from = performance.now();
      try {
        return await work();
      } finally {
        sums.set(stage, (sums.get(stage) ?? 0) + performance.now() - from);
      }
    },
    elapsedMs: () => performance.now() - started,
    /** What this process used; it renders one job at a time. */
    cpuSeconds(): number {
      const { user, system } = process.cpuUsage(cpuBefore);
      return (user + system) / 1_000_000;
    },
    timings: (): StageTimings =>
      Object.fromEntries([...sums].map(([stage, milliseconds]) => [stage, Math.round(milliseconds)])),
  };
}

export type Stopwatch = ReturnType<typeof createStopwatch>;
