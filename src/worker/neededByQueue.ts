import { assetDigests } from '../job/assetDigests.ts';
import type { JobRecord } from '../job/jobRecord.ts';
import { createReach, type QueueBackend } from '../queue/queueBackend.ts';
import { deadQueueName, type QueuedJob, queueId, webhookQueueName } from '../queue/queuedJob.ts';
import { UNFINISHED } from '../queue/queueMetrics.ts';
import { parseLetterId, type StoredLetter } from './deadLetters/deadLetter.ts';
import { messageKey, type QueuedMessage, UNDELIVERED } from './webhooks/webhooks.ts';

/** What jobs that have not ended, and those that may be replayed, need of the store. */
export interface NeededByQueue {
  neededObjects: Set<string>;
  isNeeded(record: JobRecord): boolean;
}

/** @throws PreviewError `queue_unavailable` */
export async function findNeeded(backend: QueueBackend, queueName: string): Promise<NeededByQueue> {
  const queue = backend.queue<QueuedJob, string>(queueName);
  const dead = backend.queue<StoredLetter, void>(deadQueueName(queueName));
  const hooks = backend.queue<QueuedMessage, void>(webhookQueueName(queueName));
  const reach = createReach(backend);
  try {
    const neededObjects = new Set<string>();
    const buried = new Set<string>();
    for (const id of await reach(() => queue.getRanges([...UNFINISHED], 0, -1))) {
      const job = await reach(() => queue.getJob(id));
      for (const digest of assetDigests(job?.data.job)) neededObjects.add(digest);
    }
    for (const id of await reach(() => dead.getRanges(['waiting'], 0, -1))) {
      const letter = await reach(() => dead.getJob(id));
      for (const digest of assetDigests(letter?.data.job)) neededObjects.add(digest);
      const ids = parseLetterId(id);
      if (ids) buried.add(queueId(ids));
    }
    // What a webhook says is read from the record when it is delivered.
    const untold = new Set(await reach(() => hooks.getRanges([...UNDELIVERED], 0, -1)));
    return {
      neededObjects,
      isNeeded: (record) =>
        buried.has(queueId(record)) ||
        (record.webhook ? untold.has(messageKey({ ...record, ...record.webhook })) : false),
    };
  } finally {
    await Promise.all([queue, dead, hooks].map((each) => each.close().catch(() => undefined)));
  }
}
