import { describe, expect, it } from 'vitest';
import { connectPreviewWorker } from '../../../src/worker/connectPreviewWorker.ts';
import { sharedBackends, startQueueBackend } from '../../support/queueBackends.ts';
import { openQueueWorld, toldJob } from '../../support/queueWorld.ts';

describe.each(sharedBackends)('another program on the %s queue', (name) => {
  it('sends a job, sees it rendered by the service, and reads its artifacts', async () => {
    const queue = await startQueueBackend(name);
    const service = await openQueueWorld(queue.url);
    await service.startWorker();
    const client = await connectPreviewWorker({ queueUrl: String(queue.url), dataDir: service.dataDir });
    expect(await client.enqueue(toldJob('sent'))).toMatchObject({ outcome: 'accepted' });
    await service.reaches('sent', 'completed');
    expect(await client.artifacts({ jobId: 'sent' })).toMatchObject([{ name: 'preview.mp4' }]);
    await client.close();
    await service.close();
    await queue.stop();
  });
});
