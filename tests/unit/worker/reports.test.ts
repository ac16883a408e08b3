import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { PartReport } from '../../../src/render/parts/partMaker.ts';
import type { Reports } from '../../../src/worker/renderProcess/renderProtocol.ts';
import { collectReports } from '../../../src/worker/renderProcess/reports.ts';

const part = (key: string): PartReport => ({ kind: 'segment', key, reused: true, startedAt: 1, endedAt: 2 });
const progress = (percent: number) => ({ percent, stage: 'segments' as const });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
  // No process reports anything in its first moment.
  vi.advanceTimersByTime(1000);
});
afterEach(() => void vi.useRealTimers());

test('the first report is told at once, those that follow together, none twice and none lost', () => {
  const told: Reports[] = [];
  const reports = collectReports((message) => told.push(message));
  reports.part(part('0'));
  expect(told).toHaveLength(1);
  for (let i = 1; i < 100; i++) {
    reports.part(part(String(i)));
    reports.progress(progress(i));
  }
  expect(told).toHaveLength(1);
  vi.advanceTimersByTime(10);
  expect(told).toHaveLength(2);
  expect(told.flatMap(({ parts }) => parts.map(({ key }) => key))).toEqual(
    Array.from({ length: 100 }, (_, i) => String(i)),
  );
  expect(told.at(-1)?.progress).toEqual(progress(99));
});

test('what was collected is told before an answer, and nothing after it', () => {
  const told: Reports[] = [];
  const reports = collectReports((message) => told.push(message));
  reports.progress(progress(1));
  reports.progress(progress(2));
  reports.flush();
  expect(told.map(({ progress: at }) => at?.percent)).toEqual([1, 2]);
  reports.flush();
  vi.advanceTimersByTime(1000);
  expect(told).toHaveLength(2);
});
