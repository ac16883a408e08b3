/**
 * Sends jobs in a process of its own, and says when the first one was accepted; others are on the way then:
 * `senderProcess.ts <queue url> <data folder> <how many may wait>`.
 */
import { connectPreviewWorker } from '../../src/worker/connectPreviewWorker.ts';
import { QUEUE_NAME, toldJob } from './queueWorld.ts';

const [queueUrl = '', dataDir = '', queueMax] = process.argv.slice(2);
const client = await connectPreviewWorker({
  queueUrl,
  dataDir,
  queueName: QUEUE_NAME,
  queueMax: Number(queueMax),
});
const sent = Array.from({ length: 20 }, (_, i) => client.enqueue(toldJob(`sent-${i}`)));
await Promise.any(sent);
process.send?.('accepted');
// It is killed before that.
await Promise.all(sent);
