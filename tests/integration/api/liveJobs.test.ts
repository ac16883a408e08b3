import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningApp, startApi, startWorker } from '../../../src/app.ts';
import { loadConfig } from '../../../src/config.ts';
import { createLogger } from '../../../src/logger.ts';
import { eventually } from '../../support/eventually.ts';
import { sharedBackends, startQueueBackend } from '../../support/queueBackends.ts';
import { EMBEDDED, type Service, smallJob, startService } from '../../support/service.ts';
import { listen } from '../../support/sse.ts';

const EVENTS = '/api/preview/events';
/** A connection on which nothing was said yet, as clients open them ahead, is waited for as long. */
const GRACE = { PREVIEW_SHUTDOWN_GRACE_SECONDS: '1' };
const steps = (count: number, changed = -1) =>
  Array.from({ length: count }, (_, i) => ({
    title: i === changed ? 'Other words' : `Step ${i}`,
    durationSeconds: 1,
  }));

describe('jobs and queue as events, on the embedded queue', () => {
  let service: Service;

  beforeAll(async () => {
    service = await startService({ ...GRACE, ...EMBEDDED });
  });
  afterAll(async () => {
    await service.stop();
  });

  it('begin with the present state, and tell each change to its end', async () => {
    await service.post('/api/preview/job', smallJob('before'));
    await service.ended('before');
    const live = await listen(service.url + EVENTS);
    expect(live.response.headers.get('content-type')).toContain('text/event-stream');
    await live.find(({ name, data }) => name === 'job' && data.jobId === 'before', 'the present job');
    await live.find(({ name }) => name === 'queue', 'the present queue');
    await service.post('/api/preview/job', smallJob('after', { steps: steps(2) }, { priority: 'high' }));
    const end = await live.find(
      ({ name, data }) => name === 'job' && data.jobId === 'after' && data.finishedAt,
      'the end',
    );
    const { body } = await service.get('/api/preview/jobs?q=after');
    expect(end.data).toEqual((body.jobs as unknown[])[0]);
    const own = live.told.filter(({ name, data }) => name === 'job' && data.jobId === 'after');
    expect(new Set(own.map(({ data }) => data.status))).toContain('rendering');
    expect(own.map(({ data }) => data.links.self)).toContain('/api/preview/job/after?projectId=tests');
    const state = await live.find(
      ({ name, data }) => name === 'queue' && data.durations.count >= 2 && data.counts.active === 0,
      'the queue afterwards',
    );
    expect(state.data).toMatchObject({
      counts: { active: 0 },
      waiting: 0,
      limit: 20,
      deadLetters: 0,
      workers: 1,
      durations: { count: 2, p50Seconds: expect.any(Number), p95Seconds: expect.any(Number) },
      health: { status: 'ok', checks: expect.any(Array) },
    });
    await live.close();
  }, 60_000);

  it('tell several listeners, each those of the project that it asked for', async () => {
    const [all, own] = await Promise.all([
      listen(service.url + EVENTS),
      listen(`${service.url}${EVENTS}?projectId=mine`),
    ]);
    await service.post('/api/preview/job', smallJob('theirs', {}, { projectId: 'theirs', dryRun: true }));
    await service.post('/api/preview/job', smallJob('mine', {}, { projectId: 'mine', dryRun: true }));
    for (const live of [all, own]) {
      await live.find(({ data }) => data.jobId === 'mine' && data.finishedAt, 'the end of mine');
    }
    await all.find(({ data }) => data.jobId === 'theirs' && data.finishedAt, 'the end of theirs');
    expect(own.told.filter(({ name, data }) => name === 'job' && data.projectId !== 'mine')).toEqual([]);
    await Promise.all([all.close(), own.close()]);
  });

  it('of one job say which segments were there before, and that one is finished within a moment', async () => {
    await service.post('/api/preview/job', smallJob('first-version', { title: 'Same', steps: steps(4) }));
    await service.ended('first-version');
    const { body } = await service.post(
      '/api/preview/job',
      smallJob('second-version', { title: 'Same', steps: steps(4, 2) }),
    );
    const { events, history } = body.links as { events: string; history: string };
    const live = await listen(service.url + events);
    await live.ended;
    const segments = live.told.filter(({ name }) => name === 'segment');
    // The title card is the first one. The step before a changed one fades into it.
    expect(segments.map(({ data }) => data.reused)).toEqual([true, true, false, false, true]);
    const { parts } = (await service.get(history)).body as {
      parts: { kind: string; reused: boolean; endedAt: string }[];
    };
    const made = parts.filter(({ kind }) => kind === 'segment');
    expect(made.filter(({ reused }) => !reused)).toHaveLength(2);
    const firstMade = segments.find(({ data }) => !data.reused);
    const delays = made
      .filter(({ reused }) => !reused)
      .map(({ endedAt }) => (firstMade?.at ?? 0) - Date.parse(endedAt));
    // Generous: on an idle machine it is a tenth of that, see docs/performance.md.
    expect(Math.min(...delays.filter((ms) => ms >= 0))).toBeLessThan(500);
  });
});

describe.each(sharedBackends)('events of jobs on the %s queue', (backend) => {
  it('are told by an API process of a worker process that it shares nothing else with', async () => {
    const queue = await startQueueBackend(backend);
    const service = await startService({ REDIS_URL: queue.url });
    const config = loadConfig({
      DATA_DIR: service.dataDir,
      PORT: '0',
      PREVIEW_WORKER_PORT: '0',
      REDIS_URL: queue.url,
    });
    const apps: RunningApp[] = [
      await startApi(config, createLogger('silent')),
      await startWorker(config, createLogger('silent')),
    ];
    const live = await listen(apps[0]?.url + EVENTS);
    // A busy machine may keep Redis from answering in time; the sender is told to come again.
    const isAccepted = async () =>
      (await service.post('/api/preview/job', smallJob('elsewhere'))).status < 300;
    await eventually(async () => (await isAccepted()) || undefined, 'the job being accepted');
    await live.find(({ data }) => data.jobId === 'elsewhere' && data.status === 'completed', 'its end');
    // Whoever still listens does not keep the service from stopping.
    const stopping = Date.now();
    for (const app of apps) await app.stop();
    await live.ended;
    expect(Date.now() - stopping).toBeLessThan(5000);
    await service.stop();
    await queue.stop();
  });
});

describe('events for API keys', () => {
  const key = (scopes: string): string => `${scopes.replace('+', '-')}-key-0123456789abcdef`;
  let service: Service;

  beforeAll(async () => {
    const keys = [`docs/read+submit:${key('read+submit')}`, `docs:${key('all')}`, `shop:${key('shop')}`];
    service = await startService({ ...GRACE, PREVIEW_API_KEYS: keys.join(',') });
  });
  afterAll(() => service.stop());

  it('are of its project, and of the queue where it may operate', async () => {
    const bearer = (scopes: string) => ({ authorization: `Bearer ${key(scopes)}` });
    const listening = (scopes: string) => listen(service.url + EVENTS, bearer(scopes));
    // It is answered with the first event, and of the queue it gets none.
    const silent = listening('read+submit');
    const [operator, other] = await Promise.all([listening('all'), listening('shop')]);
    const body = JSON.stringify(smallJob('mine', {}, { projectId: 'docs', dryRun: true }));
    const headers = { ...bearer('all'), 'content-type': 'application/json' };
    await fetch(`${service.url}/api/preview/job`, { method: 'POST', headers, body });
    const reader = await silent;
    for (const live of [reader, operator]) {
      await live.find(({ data }) => data.jobId === 'mine' && data.status === 'completed', 'the end');
    }
    await operator.find(({ name, data }) => name === 'queue' && data.finishedPerMinute === 1, 'the queue');
    await other.find(({ name }) => name === 'queue', 'the queue, for the other one');
    expect(reader.told.filter(({ name }) => name === 'queue')).toEqual([]);
    expect(other.told.filter(({ name }) => name === 'job')).toEqual([]);
    const list = await fetch(`${service.url}/api/preview/jobs?projectId=docs`, { headers: bearer('shop') });
    expect(await list.json()).toEqual({ jobs: [] });
    await Promise.all([reader, operator, other].map((live) => live.close()));
  });
});
