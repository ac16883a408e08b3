/**
 * A worker with webhooks in a process of its own that sends itself a job with one, and dies as it is told:
 * `webhookProcess.ts <queue url or -> <data folder> <webhook url> <moment>`, where the moment is `before` the message of
 * the end is queued, `between` that and the record, `after` the record, or `never`.
 */
import { join } from 'node:path';
import { createEgressAgent } from '../../src/assets/egress.ts';
import { PreviewError } from '../../src/errors.ts';
import { createLogger } from '../../src/logger.ts';
import { createJobEvents } from '../../src/queue/events/jobEvents.ts';
import { openQueueBackend } from '../../src/queue/queueBackend.ts';
import { webhookQueueName } from '../../src/queue/queuedJob.ts';
import type { ArtifactStore } from '../../src/storage/artifactStore.ts';
import { createFsStore } from '../../src/storage/folder/fsStore.ts';
import { noTracing } from '../../src/tracing.ts';
import { createDeadLetters } from '../../src/worker/deadLetters/deadLetters.ts';
import { createPreviewMetrics } from '../../src/worker/previewMetrics.ts';
import { createPreviewWorker } from '../../src/worker/previewWorker.ts';
import { createPreviewWorkerClient } from '../../src/worker/previewWorkerClient.ts';
import { createRenderPool } from '../../src/worker/renderProcess/renderProcess.ts';
import { createWebhookSender } from '../../src/worker/webhooks/webhookSender.ts';
import { announcing, createWebhooks } from '../../src/worker/webhooks/webhooks.ts';
import { createWebhookWorker } from '../../src/worker/webhooks/webhookWorker.ts';
import { eventually } from './eventually.ts';
import { fakeRenders, QUEUE_NAME, toldJob } from './queueWorld.ts';

const [queueUrl, dataDir = '', url = '', moment] = process.argv.slice(2);
const logger = createLogger('silent');
const queueName = QUEUE_NAME;
const backend = await openQueueBackend({ url: queueUrl === '-' ? undefined : queueUrl, dataDir, logger });
const storeFolder = join(dataDir, 'store');
const webhooks = createWebhooks({ backend, queueName });
const store = dyingStore(await createFsStore(storeFolder));
const metrics = createPreviewMetrics();
const client = createPreviewWorkerClient({ backend, queueName, store, queueMax: 20 });
const deadLetters = createDeadLetters({ backend, queueName, store, client });
// A busy machine may keep the queue from answering in time.
await eventually(
  () =>
    client.enqueue(toldJob('told', [], { webhook: { url } })).catch((error: unknown) => {
      if (!(error instanceof PreviewError) || error.code !== 'queue_unavailable') throw error;
      return undefined;
    }),
  'the job being accepted',
);
const common = { backend, queueName, store, metrics, logger };
createWebhookWorker({
  ...common,
  secrets: new Map([['tests', [Buffer.alloc(32, 's')]]]),
  send: createWebhookSender(
    createEgressAgent({ allowPrivate: ['127.0.0.1/32'] }, { connectMs: 2000, idleMs: 5000 }),
    5000,
    'tests',
  ),
}).start();
await createPreviewWorker({
  ...common,
  deadLetters,
  events: createJobEvents(backend, queueName),
  tracing: noTracing,
  renderPool: createRenderPool(storeFolder, fakeRenders()),
  concurrency: 1,
  jobTimeoutSeconds: 30,
  shutdownGraceSeconds: 0,
  assets: { maxBytes: 1000 },
}).start();

// Who started this process hears when a message has been delivered and none is left.
const messages = backend.queue(webhookQueueName(queueName));
setInterval(async () => {
  const { completed = 0, ...left } = await messages.getJobCounts('completed', 'waiting', 'active', 'delayed');
  if (completed > 0 && Object.values(left).every((count) => count === 0)) process.send?.('settled');
}, 100);

function dyingStore(plain: ArtifactStore): ArtifactStore {
  const inner = announcing(
    {
      ...plain,
      async putRecord(record, details) {
        if (moment === 'between') await die();
        const standing = await plain.putRecord(record, details);
        if (moment === 'after') await die();
        return standing;
      },
    },
    webhooks,
  );
  return {
    ...inner,
    async putRecord(record, details) {
      if (moment === 'before') await die();
      return inner.putRecord(record, details);
    },
  };
}

/** Nothing of this process goes on. */
function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
}
