import { createHmac } from 'node:crypto';
import type { JobRecord, WebhookCall } from '../../job/jobRecord.ts';
import type { QueuedJob } from '../../queue/queuedJob.ts';

/*
 * What a webhook says, by Standard Webhooks (https://www.standardwebhooks.com): the id stays the same however often a
 * message is delivered, the timestamp is the attempt's, and the signature covers both and the body.
 */

/** Whom a job tells of its end, as its record keeps it; nothing where it asks for none. */
export function webhookOf({ job, submission }: QueuedJob): { webhook?: WebhookCall } {
  // What something else put into the queue may be anything.
  const url: unknown = job?.webhook?.url;
  return typeof url === 'string' && submission ? { webhook: { id: `msg_${submission}`, url } } : {};
}

/** The body, the same at every delivery. Neither signed URLs nor the plan of a dry run: who wants them asks. */
export function messageBody(record: JobRecord): string {
  const { fingerprint: _, webhook: __, plan: ___, timings: ____, details: _____, ...data } = record;
  return JSON.stringify({ type: `preview.${record.status}`, timestamp: record.finishedAt, data });
}

/**
 * The three headers of a delivery. With several secrets there is a signature by each, so that the receiver may have any
 * of them while they are changed.
 * @param at milliseconds since 1970
 */
export function signedHeaders(
  id: string,
  body: string,
  secrets: readonly Buffer[],
  at: number,
): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000));
  const sign = (secret: Buffer): string =>
    `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets.map(sign).join(' '),
  };
}

const MINUTE = 60;
const HOUR = 3600;

/** Seconds from one delivery to the next, as Standard Webhooks recommends: three days and three and a half hours. */
const WAITS = [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];

/** How often a message is delivered at most. */
export const MAX_DELIVERIES = WAITS.length + 1;

/** The longest that a receiver may put a delivery off. */
const LONGEST_WAIT = 24 * HOUR;

/**
 * Milliseconds to the next delivery, up to a tenth more than the schedule so that many messages do not come back at once,
 * and at least as long as the receiver asked for.
 * @param made how many deliveries there were, from 1
 * @param random from 0 to 1
 */
export function waitBefore(made: number, retryAfterSeconds: number, random: number): number {
  const scheduled = (WAITS[made - 1] ?? LONGEST_WAIT) * (1 + random / 10);
  return Math.round(1000 * Math.max(scheduled, Math.min(retryAfterSeconds, LONGEST_WAIT)));
}

/** The seconds that a `Retry-After` header says, as a number or as a date; 0 where it says nothing. */
export function retryAfter(header: unknown, now: number): number {
  if (typeof header !== 'string') return 0;
  if (/^\d{1,9}$/.test(header)) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? 0 : Math.max(0, Math.ceil((date - now) / 1000));
}
