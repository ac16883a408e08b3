/** A worker in a process of its own, for tests that kill it: `workerProcess.ts <queue url> <data folder>`. */
import { openQueueWorld } from './queueWorld.ts';

const [url, dataDir] = process.argv.slice(2);
if (!url || !dataDir) throw new Error('usage: workerProcess.ts <queue url> <data folder>');
const world = await openQueueWorld(url, { dataDir });
await world.startWorker();
