import { join } from 'node:path';
import { createLogger } from '../logger.ts';
import { openQueueBackend } from '../queue/queueBackend.ts';
import { createFsStore } from '../storage/folder/fsStore.ts';
import { createPreviewWorkerClient, type PreviewWorkerClient } from './previewWorkerClient.ts';
import { announcing, createWebhooks } from './webhooks/webhooks.ts';

/**
 * A client for another program, with a connection of its own that `close` ends. The embedded queue belongs to the one
 * process that has it, so this is for Redis and PostgreSQL.
 * @param options.queueUrl `redis://`, `rediss://` or `postgres://`, as in REDIS_URL of the service
 * @param options.dataDir DATA_DIR of the service: the records of jobs that have ended are read there
 * @param options.queueName as PREVIEW_QUEUE_NAME of the service
 * @param options.queueMax jobs that may wait, as PREVIEW_QUEUE_MAX of the service
 * @throws PreviewError `queue_unavailable`, `store_unavailable`
 */
export async function connectPreviewWorker(options: {
  queueUrl: string;
  dataDir: string;
  queueName?: string;
  queueMax?: number;
}): Promise<PreviewWorkerClient> {
  const { queueUrl, dataDir, queueName = 'preview-jobs', queueMax = 20 } = options;
  const plainStore = await createFsStore(join(dataDir, 'store'));
  const backend = await openQueueBackend({ url: queueUrl, dataDir, logger: createLogger('silent') });
  const webhooks = createWebhooks({ backend, queueName });
  const store = announcing(plainStore, webhooks);
  const client = createPreviewWorkerClient({ backend, queueName, store, queueMax });
  return {
    ...client,
    async close() {
      await client.close();
      await webhooks.close();
      await backend.close();
    },
  };
}
