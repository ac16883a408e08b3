/** A process of the embedded queue in the folder `argv[2]` that takes a job under a lock of ten minutes, and keeps it. */
import { createLogger } from '../../src/logger.ts';
import { openQueueBackend } from '../../src/queue/queueBackend.ts';

const backend = await openQueueBackend({ dataDir: String(process.argv[2]), logger: createLogger('silent') });
await backend.queue('preview').add('job', {});
const take = async (): Promise<never> => {
  process.stdout.write('taken\n');
  return new Promise<never>(() => undefined);
};
backend.worker('preview', take, { lockDuration: 600_000 });
