import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, type ClusterProcess, jobDone, openCluster, postJob } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { hasRedis } from '../support/redis.ts';
import { smallJob } from '../support/service.ts';

const steps = (count: number, word: string) =>
  Array.from({ length: count }, (_, i) => ({ title: `${word} ${i}`, durationSeconds: 1 }));

describe.skipIf(!hasRedis())('two API processes and three workers', () => {
  let cluster: Cluster;
  let apis: ClusterProcess[];
  let workers: ClusterProcess[];

  beforeAll(async () => {
    cluster = await openCluster();
    apis = [await cluster.start('api'), await cluster.start('api')];
    const one = { PREVIEW_WORKER_CONCURRENCY: '1' };
    workers = await Promise.all([1, 2, 3].map(() => cluster.start('worker', one)));
  }, 120_000);
  afterAll(() => cluster.stop(), 60_000);

  const api = (i: number): string => apis[i % 2]?.url ?? '';
  const startedBy = (worker: ClusterProcess): unknown[] =>
    worker.lines.filter(({ msg }) => msg === 'job started').map(({ jobId }) => jobId);
  const manifestOf = async (url: string, jobId: string) => {
    const answer = await fetch(`${url}/api/preview/job/${jobId}/artifact?name=manifest.json&redirect=1`);
    return (await answer.json()) as { stats: { segments: { total: number; reused: number } } };
  };

  it('know each other', async () => {
    const health = await eventually(async () => {
      const answer = await fetch(`${api(0)}/api/preview/worker/health`);
      const body = (await answer.json()) as { status: string; workers: unknown[] };
      return body.workers.length === 3 ? body : undefined;
    }, 'all three workers');
    expect(health.status).toBe('ok');
  });

  it('share the work: each job is done once, every worker does some, and either API tells of it', async () => {
    const jobs = Array.from({ length: 9 }, (_, i) =>
      smallJob(`shared-${i}`, { steps: steps(4, `Job ${i}`) }),
    );
    await Promise.all(jobs.map(async (job, i) => expect(await postJob(api(i), job)).toBe(202)));
    await Promise.all(jobs.map(({ jobId }, i) => jobDone(api(i + 1), jobId)));
    const started = workers.map(startedBy);
    for (const some of started) expect(some.length).toBeGreaterThan(0);
    expect(started.flat().sort()).toEqual(jobs.map(({ jobId }) => jobId).sort());
  }, 120_000);

  it('make a part once, whoever asks for it again', async () => {
    const request = { title: 'The same', steps: steps(3, 'Same') };
    await postJob(api(0), smallJob('first', request));
    await jobDone(api(0), 'first');
    const again = ['second', 'third', 'fourth'];
    await Promise.all(again.map((jobId, i) => postJob(api(i), smallJob(jobId, request))));
    for (const jobId of again) {
      await jobDone(api(1), jobId);
      const { segments } = (await manifestOf(api(1), jobId)).stats;
      expect(segments).toEqual({ total: segments.total, reused: segments.total });
    }
  }, 120_000);

  it('cancel a job from the API that did not take it, whether it runs or waits', async () => {
    const long = { steps: steps(400, 'Long'), options: { resolution: '1920x1080', fps: 60 } };
    const jobs = Array.from({ length: 4 }, (_, i) => smallJob(`long-${i}`, { title: `Long ${i}`, ...long }));
    await Promise.all(jobs.map(async (job) => expect(await postJob(api(0), job)).toBe(202)));
    const statusOf = async (jobId: string, init: RequestInit = {}, path = '/status') => {
      const answer = await fetch(`${api(1)}/api/preview/job/${jobId}${path}`, init);
      return ((await answer.json()) as { status: string }).status;
    };
    const states = await eventually(async () => {
      const seen = await Promise.all(jobs.map(({ jobId }) => statusOf(jobId)));
      return seen.filter((state) => state === 'rendering').length === 3 ? seen : undefined;
    }, 'three that run and one that waits');
    // The one that waits goes first: it would run as soon as another is cancelled.
    const waiting = jobs.filter((_, i) => states[i] === 'queued');
    for (const { jobId } of [...waiting, ...jobs])
      expect(await statusOf(jobId, { method: 'DELETE' }, '')).toBe('cancelled');
    await eventually(async () => {
      const ended = workers.flatMap(({ lines }) => lines.filter(({ msg }) => msg === 'job cancelled'));
      return ended.length === 3 || undefined;
    }, 'the end of those that ran');
    const counts = await (await fetch(`${api(0)}/api/preview/queue/metrics`)).json();
    expect(counts).toMatchObject({ waiting: 0 });
  }, 120_000);

  it('stream a job from the API that did not take it, while a worker is at it', async () => {
    const long = smallJob('streamed', {
      steps: steps(150, 'Long'),
      options: { resolution: '1280x720', fps: 30 },
    });
    await postJob(api(0), long);
    const playlist = `${api(1)}/api/preview/job/streamed/stream/video.m3u8`;
    const text = await eventually(async () => {
      const answer = await fetch(playlist);
      const body = await answer.text();
      return answer.ok && body.includes('#EXTINF') ? body : undefined;
    }, 'a first segment');
    expect(text).not.toContain('#EXT-X-ENDLIST');
    const [segment = ''] = text.split('\n').filter((line) => line && !line.startsWith('#'));
    const bytes = await (await fetch(new URL(segment, playlist))).arrayBuffer();
    expect(bytes.byteLength).toBeGreaterThan(0);
    const status = await fetch(`${api(1)}/api/preview/job/streamed/status`);
    expect(await status.json()).toMatchObject({ status: 'rendering' });
    await jobDone(api(1), 'streamed');
    expect(await (await fetch(playlist)).text()).toContain('#EXT-X-ENDLIST');
  }, 180_000);
});

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
