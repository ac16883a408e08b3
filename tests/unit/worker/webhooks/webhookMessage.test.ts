import { describe, expect, it } from 'vitest';
import type { JobRecord } from '../../../../src/job/jobRecord.ts';
import {
  MAX_DELIVERIES,
  messageBody,
  retryAfter,
  signedHeaders,
  waitBefore,
} from '../../../../src/worker/webhooks/webhookMessage.ts';

const secretOf = (text: string): Buffer => Buffer.from(text.replace('whsec_', ''), 'base64');

describe('a webhook', () => {
  it('is signed as in the example of Standard Webhooks', () => {
    const headers = signedHeaders(
      'msg_p5jXN8AQM9LWM0D4loKWxJek',
      '{"test": 2432232314}',
      [secretOf('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')],
      1_614_265_330_000,
    );
    expect(headers).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('has a signature by each secret, in order', () => {
    const secrets = ['a', 'b'].map((letter) => Buffer.alloc(32, letter));
    const sign = (some: Buffer[]) => signedHeaders('msg_1', '{}', some, 0)['webhook-signature'];
    expect(sign(secrets)).toBe(secrets.map((secret) => sign([secret])).join(' '));
  });

  it('tells neither the address it goes to, nor the plan of a dry run', () => {
    const record: JobRecord = {
      ...{ projectId: 'p', jobId: 'j', requestId: 'r', fingerprint: 'f', status: 'failed', dryRun: true },
      ...{ createdAt: '2026-01-01T08:00:00.000Z', finishedAt: '2026-01-01T09:00:00.000Z' },
      ...{ attemptsMade: 1, warnings: [], artifacts: [], error: { code: 'asset_missing', message: 'No.' } },
      plan: { durationSeconds: 1, width: 2, height: 2, fps: 1, timeline: [], parts: [], warnings: [] },
      webhook: { id: 'msg_1', url: 'https://example.org/?token=secret' },
    };
    const { type, timestamp, data } = JSON.parse(messageBody(record));
    expect({ type, timestamp }).toEqual({ type: 'preview.failed', timestamp: record.finishedAt });
    expect(Object.keys(data).sort()).toEqual(
      'artifacts attemptsMade createdAt dryRun error finishedAt jobId projectId requestId status warnings'.split(
        ' ',
      ),
    );
  });
});

describe('the schedule', () => {
  it('ends after a little more than three days', () => {
    const waits = Array.from({ length: MAX_DELIVERIES - 1 }, (_, i) => waitBefore(i + 1, 0, 0));
    expect(waits.slice(0, 3)).toEqual([5000, 300_000, 1_800_000]);
    expect([...waits].sort((a, b) => a - b)).toEqual(waits);
    const days = waits.reduce((sum, wait) => sum + wait, 0) / 86_400_000;
    expect(days).toBeGreaterThan(3);
    expect(days).toBeLessThan(3.3);
  });

  it('is spread by up to a tenth', () => {
    expect(waitBefore(2, 0, 1)).toBe(330_000);
  });

  it('waits as long as the receiver asks, a day at most', () => {
    expect(waitBefore(1, 60, 0)).toBe(60_000);
    expect(waitBefore(2, 60, 0)).toBe(300_000);
    expect(waitBefore(1, 1e9, 0)).toBe(86_400_000);
  });

  it.each([
    ['120', 120],
    ['0', 0],
    ['Thu, 01 Jan 2026 00:01:00 GMT', 60],
    ['Wed, 31 Dec 2025 23:00:00 GMT', 0],
    ['soon', 0],
    ['-5', 0],
    [undefined, 0],
    [['1', '2'], 0],
  ])('reads Retry-After %j as %i seconds', (header, seconds) => {
    expect(retryAfter(header, Date.parse('2026-01-01T00:00:00Z'))).toBe(seconds);
  });
});
