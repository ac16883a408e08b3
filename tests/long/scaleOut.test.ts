import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { jobDone, openCluster, postJob } from '../support/cluster.ts';
import { hasRedis } from '../support/redis.ts';
import { smallJob } from '../support/service.ts';

/** How long the server of {@link slowPictures} keeps whoever asks waiting. */
const WAIT_MS = 4000;

/** Pictures that are long in coming, so that a job that shows one takes as long, whatever else the cores do. */
async function slowPictures() {
  const picture = readFileSync('examples/pour-over-coffee/pictures/04-first-pour.jpg');
  const server = createServer((_, answer) => {
    setTimeout(() => answer.writeHead(200, { 'content-type': 'image/jpeg' }).end(picture), WAIT_MS);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    job: (jobId: string) =>
      smallJob(jobId, {
        assets: [{ id: 'slow', type: 'image', url: `http://127.0.0.1:${port}/${jobId}.jpg` }],
        steps: [{ asset: 'slow', durationSeconds: 1 }],
      }),
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe.skipIf(!hasRedis())('three workers instead of one', () => {
  it('do three times as much: nothing that they share keeps them waiting', async () => {
    const cluster = await openCluster();
    const pictures = await slowPictures();
    try {
      const apis = [await cluster.start('api'), await cluster.start('api')];
      const api = (i: number): string => apis[i % 2]?.url ?? '';
      const env = { PREVIEW_WORKER_CONCURRENCY: '1', PREVIEW_ASSET_ALLOW_PRIVATE: '127.0.0.0/8' };
      const startWorker = () => cluster.start('worker', env);
      /** Seconds until all of them have ended. */
      const run = async (name: string, count: number): Promise<number> => {
        const started = performance.now();
        const ids = Array.from({ length: count }, (_, i) => `${name}-${i}`);
        await Promise.all(
          ids.map(async (id, i) => expect(await postJob(api(i), pictures.job(id))).toBe(202)),
        );
        await Promise.all(ids.map((id, i) => jobDone(api(i + 1), id)));
        return (performance.now() - started) / 1000;
      };
      // In the first job of a worker its render process starts.
      await startWorker();
      await run('warm', 1);
      const alone = await run('alone', 6);
      await Promise.all([startWorker(), startWorker()]);
      await run('warmer', 3);
      const together = await run('together', 6);
      expect(together).toBeGreaterThan((2 * WAIT_MS) / 1000);
      // What is drawn beside the waiting shares two cores, and other suites run on them.
      expect(alone / together).toBeGreaterThan(2.25);
    } finally {
      await cluster.stop();
      pictures.stop();
    }
  }, 180_000);
});
