/**
 * The specification of the worker: what becomes of a job that is sent to it. Everything is real: queue, store, render
 * processes, and the server that the pictures come from. One time is shorter than in production: the first pause
 * after a failed attempt is a tenth of a second here, and a second there.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createEgressAgent } from '../../src/assets/egress.ts';
import { createAssetFetcher } from '../../src/assets/fetchAsset.ts';
import { validatePreviewPayload } from '../../src/job/validatePreviewPayload.ts';
import { createLogger } from '../../src/logger.ts';
import { renderPreview } from '../../src/render/renderPreview.ts';
import { checkHealth } from '../../src/worker/health.ts';
import type { PreviewMetrics } from '../../src/worker/previewMetrics.ts';
import type { PreviewWorker } from '../../src/worker/previewWorker.ts';
import type { PreviewWorkerClient } from '../../src/worker/previewWorkerClient.ts';
import { createQueueWatch } from '../../src/worker/watch/queueWatch.ts';
import { eventually } from '../support/eventually.ts';
import { type PictureServer, startPictureServer } from '../support/pictureServer.ts';
import { CLI } from '../support/processes.ts';
import { queueBackends, startQueueBackend } from '../support/queueBackends.ts';
import { openQueueWorld, QUEUE_NAME, type QueueWorld } from '../support/queueWorld.ts';
import { freePort } from '../support/redis.ts';

const FIRST_PAUSE_MS = 100;
/** The pictures come from this machine, which production has to allow. */
const LOOPBACK = '127.0.0.1/32';

describe('a payload', () => {
  const payload = (file: string) =>
    JSON.parse(readFileSync(new URL(`../payloads/${file}.json`, import.meta.url), 'utf8'));

  it('is valid with nothing but what is required', () => {
    const minimal = {
      ...{ jobId: 'intro', projectId: 'docs', requestId: 'r-1', dryRun: false },
      previewRequest: { steps: [], assets: [], audio: {} },
    };
    expect(validatePreviewPayload(minimal)).toEqual({ ok: true, job: minimal });
  });

  it('is valid with all that it may have', () => {
    const full = payload('valid/everything-at-once');
    expect(validatePreviewPayload(full)).toEqual({ ok: true, job: full });
  });

  it('is refused with a JSON pointer to each mistake', () => {
    const { payload: invalid, pointers } = payload('invalid/several-mistakes');
    const result = validatePreviewPayload(invalid);
    expect(result.ok ? [] : result.errors.map(({ pointer }) => pointer).sort()).toEqual(pointers.sort());
  });
});

describe.each(queueBackends)('a worker on the %s queue', (name) => {
  const agent = createEgressAgent({ allowPrivate: [LOOPBACK] }, { connectMs: 2000, idleMs: 10_000 });
  let pictures: PictureServer;
  let queue: Awaited<ReturnType<typeof startQueueBackend>>;
  let world: QueueWorld;
  let worker: PreviewWorker;
  let client: PreviewWorkerClient;
  let metrics: PreviewMetrics;
  let closed: Promise<void> | undefined;
  const closeWorld = (): Promise<void> => {
    closed ??= world.close();
    return closed;
  };

  beforeAll(async () => {
    pictures = await startPictureServer();
    queue = await startQueueBackend(name);
    world = await openQueueWorld(queue.url, { firstPauseMs: FIRST_PAUSE_MS, keep: true });
    ({ client, metrics } = world);
    // It renders as in production, one job after the other.
    const fetcher = createAssetFetcher(agent, 10_000);
    worker = await world.startWorker({ renders: {}, fetcher, concurrency: 1 });
  });

  afterAll(async () => {
    await closeWorld();
    await world.remove();
    await queue.stop();
    await agent.destroy();
    await pictures.close();
  });

  it('renders a valid job, and leaves what renderPreview makes of it', async () => {
    const job = pictures.jobWith('there/valid', 'valid');
    expect(await client.enqueue(job)).toMatchObject({ outcome: 'accepted', status: { status: 'queued' } });
    expect(await world.reaches('valid', 'completed')).toMatchObject({
      ...{ requestId: 'request-valid', attemptsMade: 1, progress: { percent: 100, stage: 'done' } },
    });

    const artifacts = await client.artifacts({ jobId: 'valid' });
    expect(artifacts.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['preview.mp4', 'poster.jpg', 'storyboard.jpg', 'manifest.json']),
    );
    const bytes = pictures.picture.length;
    const sha256 = createHash('sha256').update(pictures.picture).digest('hex');
    const again = await renderPreview(job, {
      store: world.store,
      assets: [{ id: 'photo', type: 'image', format: 'png', sha256, bytes }],
      onProgress: () => undefined,
      signal: new AbortController().signal,
    });
    // The manifest alone differs: it says how many segments were there before.
    const isFile = ({ name }: { name: string }): boolean => name !== 'manifest.json';
    expect(again.artifacts.filter(isFile)).toEqual(artifacts.filter(isFile));
    expect(again.segments).toEqual({ total: 2, reused: 2 });
  });

  it('plans a dry run, and renders nothing', async () => {
    await client.enqueue(pictures.jobWith('there/planned', 'planned', { dryRun: true }));
    const { plan } = await world.reaches('planned', 'completed');
    expect(plan).toMatchObject({ width: 320, height: 180, fps: 10, timeline: [{ id: 'step-1' }] });
    expect(plan?.parts.map(({ kind }) => kind)).toContain('segment');
    await expect(client.artifacts({ jobId: 'planned' })).rejects.toMatchObject({ code: 'no_artifacts' });
  });

  it('is not sent an invalid job, and refuses one that something else has queued', async () => {
    const invalid = { ...pictures.jobWith('there/invalid', 'invalid'), colour: 'red' };
    await expect(client.enqueue(invalid)).rejects.toMatchObject({
      code: 'invalid_payload',
      errors: [{ pointer: '/colour' }],
    });
    await expect(client.status({ jobId: 'invalid' })).rejects.toMatchObject({ code: 'job_not_found' });

    const raw = world.backend.queue(QUEUE_NAME);
    await raw.add('render', { job: invalid }, { jobId: 'tests~invalid', attempts: 5 });
    expect(await world.reaches('invalid', 'failed')).toMatchObject({
      attemptsMade: 1,
      error: { code: 'invalid_payload', message: expect.stringContaining('/colour') },
    });
  });

  it('tries again what another attempt can mend', async () => {
    await client.enqueue(pictures.jobWith('away/2/mended', 'mended'));
    expect(await world.reaches('mended', 'completed')).toMatchObject({ attemptsMade: 3 });
    const { attempts } = await client.history({ jobId: 'mended' });
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'completed']);
    expect(attempts[0]?.error?.code).toBe('asset_unreachable');
  });

  it('does not try again what no attempt can mend', async () => {
    await client.enqueue(pictures.jobWith('broken/once', 'broken'));
    expect(await world.reaches('broken', 'failed')).toMatchObject({
      attemptsMade: 1,
      error: { code: 'asset_type_unsupported' },
    });
    await expect(client.artifacts({ jobId: 'broken' })).rejects.toMatchObject({ code: 'no_artifacts' });
  });

  it('gives a job up after five attempts, with pauses that double, and keeps it as a dead letter until it is replayed', async () => {
    const job = pictures.jobWith('away/5/hopeless', 'hopeless');
    await client.enqueue(job);
    const ended = { attemptsMade: 5, error: { code: 'asset_unreachable' } };
    expect(await world.reaches('hopeless', 'failed')).toMatchObject(ended);

    const letter = await world.deadLetters.get({ jobId: 'hopeless' });
    expect(letter).toMatchObject({ ...ended, job, place: { stage: 'assets', asset: 'photo' } });
    expect(letter.attempts.map(({ outcome }) => outcome)).toEqual(Array(5).fill('failed'));
    const pauses = [0, 1, 2, 3].map((i) => {
      const [before, after] = letter.attempts.slice(i);
      return Date.parse(after?.startedAt ?? '') - Date.parse(before?.endedAt ?? '');
    });
    for (const [i, times] of [1, 2, 4, 8].entries()) {
      // The queue counts from a few milliseconds before the end is written down; a busy machine takes a job up later.
      expect(pauses[i], `pause ${i + 1}`).toBeGreaterThanOrEqual(times * FIRST_PAUSE_MS - 20);
      expect(pauses[i], `pause ${i + 1}`).toBeLessThan(times * FIRST_PAUSE_MS + 3000);
    }

    // The picture is there by now.
    await world.deadLetters.replay({ jobId: 'hopeless' });
    expect(await world.reaches('hopeless', 'completed')).toMatchObject({ attemptsMade: 1 });
    await expect(world.deadLetters.get({ jobId: 'hopeless' })).rejects.toMatchObject({
      code: 'dead_letter_not_found',
    });
  });

  it('renders a job once, however often it is sent', async () => {
    const job = pictures.jobWith('there/often', 'often');
    const sent = await Promise.all(Array.from({ length: 20 }, () => client.enqueue(job)));
    expect(sent.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(1);
    await world.reaches('often', 'completed');
    const again = { outcome: 'existing', status: { status: 'completed', attemptsMade: 1 } };
    expect(await client.enqueue(job)).toMatchObject(again);
    expect(pictures.asked.filter((path) => path === 'there/often')).toHaveLength(1);

    const other = pictures.jobWith('there/other', 'often');
    await expect(client.enqueue(other)).rejects.toMatchObject({ code: 'job_id_reused' });
  });

  it('takes the most urgent job first, and of equal ones the oldest', async () => {
    // The others wait while it is busy with this one.
    await client.enqueue(pictures.jobWith('held/busy', 'busy'));
    await pictures.isHeld('held/busy');
    for (const round of [1, 2]) {
      for (const priority of ['low', 'normal', 'high'] as const) {
        const jobId = `${priority}-${round}`;
        await client.enqueue(pictures.jobWith(`there/${jobId}`, jobId, { priority }));
      }
    }
    pictures.letGo('held/busy');
    await world.reaches('low-2', 'completed');
    const order = ['high-1', 'high-2', 'normal-1', 'normal-2', 'low-1', 'low-2'];
    expect(pictures.asked.slice(-6)).toEqual(order.map((jobId) => `there/${jobId}`));
  });

  it('says how it is, and counts how its jobs ended', async () => {
    // A job is known to have ended a moment before its worker is done with it.
    await eventually(async () => worker.activeJobs() === 0 || undefined, 'the worker being idle');
    const watch = await createQueueWatch({ ...world, logger: createLogger('silent') });
    const own = { activeJobs: worker.activeJobs, concurrency: 1 };
    const health = await checkHealth({ ...world, watch, worker: own });
    await watch.close();
    expect(health).toMatchObject({ status: 'ok', workers: [{ activeJobs: 0, concurrency: 1 }] });
    const { values } = await metrics.jobsTotal.get();
    expect(Object.fromEntries(values.map(({ labels, value }) => [labels.outcome, value]))).toEqual({
      ...{ success: 11, dry_run: 1, invalid: 1, failure: 2, retry: 6, cancelled: 0 },
    });
  });

  it('gives a job back when it stops, and no attempt is lost; SIGTERM lets the next process end it within its grace', async () => {
    await client.enqueue(pictures.jobWith('held/last', 'last'));
    await pictures.isHeld('held/last');
    await worker.stop();
    expect(await client.status({ jobId: 'last' })).toMatchObject({ status: 'queued', attemptsMade: 0 });
    await closeWorld();

    const service = await startServe(world.dataDir, queue.url);
    await pictures.isHeld('held/last');
    const exit = once(service, 'exit');
    service.kill('SIGTERM');
    pictures.letGo('held/last');
    expect(await exit).toEqual([0, null]);
    const record = await world.store.getRecord('tests', 'last');
    expect(record).toMatchObject({ status: 'completed', attemptsMade: 1 });
    expect(pictures.asked.slice(-2)).toEqual(['held/last', 'held/last']);
  });
});

/** The real command line: API and worker in a process of their own. It ends with the test, and is killed where it does not. */
async function startServe(dataDir: string, queueUrl: string | undefined): Promise<ChildProcess> {
  const port = String(await freePort());
  const env = {
    ...{ PATH: process.env.PATH, LOG_LEVEL: 'silent', DATA_DIR: dataDir, PORT: port },
    ...{ PREVIEW_ASSET_ALLOW_PRIVATE: LOOPBACK, PREVIEW_SHUTDOWN_GRACE_SECONDS: '60' },
    ...(queueUrl ? { REDIS_URL: queueUrl } : {}),
  };
  const service = spawn(process.execPath, [CLI, 'serve'], { env, stdio: 'ignore' });
  onTestFinished(() => void service.kill('SIGKILL'));
  return service;
}
