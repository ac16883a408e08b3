import type { Job } from 'bullmq';
import type { JobRecord } from '../../job/jobRecord.ts';
import { createReach, type QueueBackend } from '../../queue/queueBackend.ts';
import { parseQueueId, queueId, webhookQueueName } from '../../queue/queuedJob.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';
import { MAX_DELIVERIES } from './webhookMessage.ts';

/** One knock at a receiver's door. */
export interface DeliveryAttempt {
  /** RFC 3339, UTC. */
  at: string;
  milliseconds: number;
  /** HTTP status of the answer; absent where there was none. */
  status?: number;
  /** Why it counts as failed; absent where it was delivered. */
  failure?: string;
}

/** A message that waits in the queue of webhooks, or was delivered, or given up. */
export interface QueuedMessage {
  projectId: string;
  jobId: string;
  /** `webhook-id`. */
  id: string;
  url: string;
  attempts: DeliveryAttempt[];
}

/** A message as it is shown: where it goes without what may be secret of the address. */
export interface Delivery {
  id: string;
  /** Scheme, host and path. */
  url: string;
  status: 'pending' | 'delivered' | 'failed';
  attempts: DeliveryAttempt[];
  /** Of one that waits for its next attempt. */
  nextAttemptAt?: string;
}

/** A job. */
interface Whose {
  projectId: string;
  jobId: string;
}

export interface Webhooks {
  /** Queues the message of a record, once. To be called before the record is written. @throws PreviewError `queue_unavailable` */
  announce(record: JobRecord): Promise<void>;
  /** The messages of a job, the newest first. @throws PreviewError `queue_unavailable` */
  deliveries(ref: Whose): Promise<Delivery[]>;
  close(): Promise<void>;
}

/** How long it is shown how a message went. */
const KEPT_SECONDS = 7 * 86_400;
/** By then the record is written; a message that comes earlier waits, see webhookWorker.ts. */
const RECORD_WRITTEN_MS = 100;

/** The queue of webhooks, for those who put something into it or look at it. */
export function createWebhooks(options: { backend: QueueBackend; queueName: string }): Webhooks {
  const queue = options.backend.queue<QueuedMessage, void>(webhookQueueName(options.queueName));
  const reach = createReach(options.backend);

  const find = async (ref: Whose): Promise<Job<QueuedMessage>[]> => {
    const ids = await reach(() => queue.getRanges([...UNDELIVERED, 'completed', 'failed'], 0, -1));
    const own = new Set(ids.filter((id) => isOf(id, ref)));
    const jobs = await Promise.all([...own].map((id) => reach(() => queue.getJob(id))));
    return jobs.filter((job) => job !== undefined).sort((a, b) => b.timestamp - a.timestamp);
  };

  return {
    async announce({ projectId, jobId, webhook }) {
      if (!webhook) return;
      const message: QueuedMessage = { projectId, jobId, ...webhook, attempts: [] };
      await reach(() =>
        queue.add('webhook', message, {
          jobId: messageKey(message),
          delay: RECORD_WRITTEN_MS,
          attempts: MAX_DELIVERIES,
          backoff: { type: 'webhook' },
          removeOnComplete: { age: KEPT_SECONDS },
          removeOnFail: { age: KEPT_SECONDS },
        }),
      );
    },

    async deliveries(ref) {
      const jobs = await find(ref);
      return Promise.all(jobs.map(async (job) => deliveryOf(job, await reach(() => job.getState()))));
    },

    close: () => queue.close().catch(() => undefined),
  };
}

/** The states of messages that are still to be delivered. */
export const UNDELIVERED = ['waiting', 'delayed', 'active', 'prioritized'] as const;

/** A job that runs again, as a dead letter does, has a message of its own. */
export const messageKey = (message: Whose & { id: string }): string => `${queueId(message)}~${message.id}`;

/** Whose message it is. */
export function parseMessageKey(key: string): Whose | undefined {
  return parseQueueId(key.split('~').slice(0, 2).join('~'));
}

function isOf(key: string, { projectId, jobId }: Whose): boolean {
  const of = parseMessageKey(key);
  return of?.projectId === projectId && of.jobId === jobId;
}

function deliveryOf({ data, timestamp, delay }: Job<QueuedMessage>, state: string): Delivery {
  const { id, url, attempts } = data;
  const status = state === 'completed' ? 'delivered' : state === 'failed' ? 'failed' : 'pending';
  const last = attempts.at(-1);
  const planned = last ? Date.parse(last.at) + last.milliseconds + delay : timestamp + delay;
  // One that waits for others of its project comes as soon as they are done.
  const next = Math.max(planned, Date.now());
  return {
    id,
    url: placeOf(url),
    status,
    attempts,
    ...(state === 'delayed' ? { nextAttemptAt: new Date(next).toISOString() } : {}),
  };
}

/** Where a URL leads, without the user info and the query, which may be secrets. */
export function placeOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url ? `${url.protocol}//${url.host}${url.pathname}` : '';
}

/**
 * The same store, whose records are told of. A message is queued before its record is written, and waits for it: whoever
 * is killed between the two has lost nothing, because the job ends again, and its message has the same id.
 */
export function announcing(store: ArtifactStore, webhooks: Pick<Webhooks, 'announce'>): ArtifactStore {
  return {
    ...store,
    async putRecord(record, details) {
      await webhooks.announce(record);
      return store.putRecord(record, details);
    },
  };
}
