import type { Job } from 'bullmq';
import { expect, test } from 'vitest';
import { keepHistory, readJobHistory } from '../../../src/worker/records/attemptHistory.ts';

test('of an attempt 3000 parts and 300 lines of the log are kept, the first ones', async () => {
  const rows: string[] = [];
  const job = { log: async (row: string) => rows.push(row) } as unknown as Job;
  const history = keepHistory(job, 1, 'worker');
  for (let i = 0; i < 3001; i++)
    history.part({ kind: 'segment', key: String(i), reused: false, startedAt: i, endedAt: i });
  for (let i = 0; i < 301; i++)
    history.line(JSON.stringify({ level: 'info', time: '2026-01-01T09:00:00.000Z', msg: `line ${i}` }));
  await history.ended('completed');
  const { parts, logs } = readJobHistory(rows);
  expect(parts).toHaveLength(3000);
  expect(parts.at(-1)?.endedAt).toBe(new Date(2999).toISOString());
  expect(logs).toHaveLength(300);
  expect(logs.at(-1)?.msg).toBe('line 299');
});
