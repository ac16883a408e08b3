import { describe, expect, it } from 'vitest';
import type { ListedJob } from '../../../studio/src/api/types.ts';
import { apiQuery, matches, newestFirst, readFilter } from '../../../studio/src/jobs/filter.ts';
import { buildWaterfall } from '../../../studio/src/jobs/waterfall.ts';
import { roomFor, stepLine } from '../../../studio/src/queue/chart.ts';
import { age, bytes, clock, duration } from '../../../studio/src/ui/words.ts';

const job = (jobId: string, rest: Partial<ListedJob> = {}): ListedJob =>
  ({
    jobId,
    projectId: 'p',
    requestId: 'r',
    status: 'queued',
    createdAt: '2026-01-01T00:00:00Z',
    ...rest,
  }) as ListedJob;

describe('the filter of jobs', () => {
  const filterOf = (query: string) => readFilter(new URLSearchParams(query));

  it('lives in the address, and goes to the API', () => {
    expect(apiQuery(filterOf(''))).toBe('');
    expect(apiQuery(filterOf('status=active&priority=high&q= a b '), 'next')).toBe(
      '?status=queued%2Crendering%2Cretrying&priority=high&q=a+b&cursor=next',
    );
    expect(filterOf('status=nonsense').group).toBe('all');
  });

  it('holds for what changes later, too', () => {
    expect(matches(job('a'), filterOf('status=active'))).toBe(true);
    expect(matches(job('a', { status: 'completed' }), filterOf('status=active'))).toBe(false);
    expect(matches(job('a', { title: 'Latte Art' }), filterOf('q=latte'))).toBe(true);
    expect(matches(job('a'), filterOf('q=latte'))).toBe(false);
    expect(matches(job('a'), filterOf('priority=normal'))).toBe(true);
    expect(matches(job('a', { priority: 'high' }), filterOf('priority=normal'))).toBe(false);
  });

  it('hides superseded previews until they are asked for', () => {
    const old = job('a', { status: 'cancelled', error: { code: 'superseded', message: '' } });
    expect(matches(old, filterOf(''))).toBe(false);
    expect(matches(old, filterOf('superseded=1'))).toBe(true);
  });

  it('puts the newest first', () => {
    const jobs = [job('old'), job('new', { createdAt: '2026-01-02T00:00:00Z' })];
    expect(newestFirst(jobs).map(({ jobId }) => jobId)).toEqual(['new', 'old']);
  });
});

describe('the waterfall', () => {
  const at = (ms: number): string => new Date(ms).toISOString();
  it('has a lane for each kind, in the order in which they began', () => {
    const { lanes, milliseconds } = buildWaterfall([
      { attempt: 1, kind: 'movie', reused: false, startedAt: at(1500), endedAt: at(2000) },
      { attempt: 1, kind: 'segment', reused: false, startedAt: at(1000), endedAt: at(1500) },
      { attempt: 1, kind: 'segment', reused: true, startedAt: at(1000), endedAt: at(1000) },
    ]);
    expect(milliseconds).toBe(1000);
    expect(lanes.map(({ kind, made, reused }) => [kind, made, reused])).toEqual([
      ['segment', 1, 1],
      ['movie', 1, 0],
    ]);
    expect(lanes[1]?.bars[0]).toMatchObject({ left: 500, width: 500 });
  });
});

describe('a chart', () => {
  it('has round room', () => {
    expect([0, 4, 5, 11, 21, 99].map(roomFor)).toEqual([4, 4, 5, 20, 50, 100]);
  });

  it('draws values that hold until the next one', () => {
    const size = { now: 120_000, width: 100, height: 10, top: 10 };
    expect(stepLine([], size)).toEqual({ line: '', area: '' });
    const points = [
      { at: -60_000, value: 5 },
      { at: 60_000, value: 10 },
    ];
    expect(stepLine(points, size)).toEqual({
      line: 'M0.0 5.0H50.0V0.0H100',
      area: 'M0.0 5.0H50.0V0.0H100V10H0.0Z',
    });
  });
});

describe('words', () => {
  it('say times and sizes as a person does', () => {
    expect([0, 61.9, 3661].map(clock)).toEqual(['0:00', '1:01', '1:01:01']);
    expect([0.042, 0.42, 12.34, 75, 3700].map(duration)).toEqual([
      '42 ms',
      '0.42 s',
      '12.3 s',
      '1 min 15 s',
      '1 h 1 min',
    ]);
    expect([12, 1800, 1_730_000, 12_400_000].map(bytes)).toEqual(['12 B', '2 kB', '1.7 MB', '12 MB']);
    const now = Date.parse('2026-01-02T00:00:00Z');
    expect([0, 40, 300, 7200, 86_400].map((s) => age(new Date(now - s * 1000).toISOString(), now))).toEqual([
      'now',
      '40 s',
      '5 min',
      '2 h',
      '1 d',
    ]);
  });
});
