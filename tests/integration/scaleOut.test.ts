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
      steps: steps(75, 'Long'),
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
