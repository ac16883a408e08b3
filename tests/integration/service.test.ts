import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EMBEDDED, type Service, smallJob, startService } from '../support/service.ts';

describe('the service on the embedded queue', () => {
  let service: Service;

  beforeAll(async () => {
    service = await startService(EMBEDDED);
  });

  afterAll(async () => {
    await service.stop();
  });

  it('renders a posted job and hands out every artifact with the digest it promised', async () => {
    const photo = await sharp({ create: { width: 640, height: 480, channels: 3, background: '#39a' } })
      .jpeg()
      .toBuffer();
    const uploaded = await service.upload(photo);
    expect(uploaded).toMatchObject({ status: 201, body: { mediaType: 'image/jpeg', bytes: photo.length } });
    const job = smallJob('whole-way', {
      steps: [{ title: 'One', text: 'A step.', asset: 'photo', durationSeconds: 1 }],
      assets: [{ id: 'photo', type: 'image', upload: String(uploaded.body.sha256) }],
    });

    const posted = await service.post('/api/preview/job', job);
    expect(posted.status).toBe(202);
    expect(posted.headers.get('location')).toContain('/api/preview/job/whole-way/status');
    expect(await service.ended('whole-way')).toMatchObject({
      status: 'completed',
      progress: { percent: 100 },
    });

    const { body } = await service.get('/api/preview/job/whole-way/artifact');
    const artifacts = body.artifacts as { name: string; url: string; sha256: string }[];
    expect(artifacts.map(({ name }) => name)).toEqual([
      'preview.mp4',
      'poster.jpg',
      'storyboard.jpg',
      'storyboard.vtt',
      'captions.vtt',
      'captions.srt',
      'chapters.vtt',
      'manifest.json',
    ]);
    for (const { url, sha256 } of artifacts) {
      const response = await fetch(service.url + url);
      const bytes = Buffer.from(await response.arrayBuffer());
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
    }
  });

  it('answers the same job again with its state, and another job of that id with 422', async () => {
    const job = smallJob('twice');
    expect((await service.post('/api/preview/job', job)).status).toBe(202);
    expect((await service.post('/api/preview/job', job)).status).toBe(200);
    await service.ended('twice');
    const again = await service.post('/api/preview/job', { ...job, requestId: 'another-request' });
    expect(again).toMatchObject({ status: 200, body: { status: 'completed' } });
    const other = await service.post('/api/preview/job', smallJob('twice', { title: 'Another' }));
    expect(other).toMatchObject({ status: 422, body: { code: 'job_id_reused' } });
  });

  it('accepts one of fifty equal posts at once', async () => {
    const job = smallJob('at-once');
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => service.post('/api/preview/job', job)),
    );
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(49);
    expect(await service.ended('at-once')).toMatchObject({ status: 'completed', attemptsMade: 1 });
  });

  it('answers a dry run with its plan and renders nothing', async () => {
    await service.post('/api/preview/job', smallJob('dry', {}, { dryRun: true }));
    const status = await service.ended('dry');
    expect(status).toMatchObject({
      status: 'completed',
      plan: { durationSeconds: 3, width: 320, height: 180 },
    });
    expect(await service.get('/api/preview/job/dry/artifact')).toMatchObject({
      status: 409,
      body: { code: 'no_artifacts' },
    });
  });

  it('plans without the queue, knows what is there, and says what would be warned of', async () => {
    const long = { text: 'WORDS '.repeat(333), durationSeconds: 1 };
    const request = { steps: [{ title: '你好', durationSeconds: 1 }, long] };
    const before = await service.post('/api/preview/validate', smallJob('planned', request));
    expect(before.status).toBe(200);
    expect(before.body).toMatchObject({
      durationSeconds: 5,
      parts: [{ reused: false }, { reused: false }, { reused: false }],
      warnings: [
        { code: 'script_missing', step: 0 },
        { code: 'text_shortened', step: 1 },
      ],
    });
    expect((await service.get('/api/preview/job/planned/status')).status).toBe(404);
    await service.post('/api/preview/job', smallJob('planned', request));
    const { warnings } = await service.ended('planned');
    expect(warnings).toEqual(before.body.warnings);
    const after = await service.post('/api/preview/validate', smallJob('other', request));
    const { parts, estimate } = after.body as { parts: { reused: boolean }[]; estimate: { seconds: number } };
    expect(parts.filter(({ reused }) => !reused)).toHaveLength(1);
    expect(estimate.seconds).toBeGreaterThan(0);
    const broken = await service.post('/api/preview/validate', { jobId: 1 });
    expect(broken).toMatchObject({ status: 400, body: { code: 'invalid_payload' } });
  });

  it('tells what happens to a job, segment by segment, to its end', async () => {
    const steps = Array.from({ length: 4 }, (_, i) => ({ title: `Step ${i}`, durationSeconds: 1 }));
    const { body } = await service.post('/api/preview/job', smallJob('told', { steps }));
    const { events } = body.links as { events: string };
    const response = await fetch(service.url + events);
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const told = (await response.text())
      .split('\n\n')
      .map((block) => /^event: (\w+)\ndata: (.*)$/.exec(block))
      .flatMap((match) => (match ? [{ name: match[1], data: JSON.parse(match[2] ?? '') }] : []));
    const named = (name: string) => told.filter((event) => event.name === name).map(({ data }) => data);
    expect(named('segment')).toEqual(
      [0, 3, 4, 5, 6].map((startSeconds, index) => ({
        index,
        of: 5,
        startSeconds,
        endSeconds: index === 0 ? 3 : startSeconds + 1,
        reused: false,
      })),
    );
    expect(named('status').at(-1)).toMatchObject({ jobId: 'told', status: 'completed' });
    expect(told.at(-1)).toEqual({ name: 'end', data: { status: 'completed' } });
    expect((await service.get('/api/preview/job/nobody/events')).status).toBe(404);
  });

  it('does not retry what can never succeed, and says what was wrong', async () => {
    const request = {
      steps: [{ asset: 'p' }],
      assets: [{ id: 'p', type: 'image' as const, upload: 'a'.repeat(64) }],
    };
    await service.post('/api/preview/job', smallJob('no-asset', request));
    expect(await service.ended('no-asset')).toMatchObject({
      status: 'failed',
      attemptsMade: 1,
      error: { code: 'asset_missing', message: expect.stringContaining('Asset "p"') },
    });
  });

  it('keeps what it accepted and refuses the surplus when many jobs come at once', async () => {
    const jobs = Array.from({ length: 30 }, (_, i) => smallJob(`flood-${i}`));
    const answers = await Promise.all(jobs.map((job) => service.post('/api/preview/job', job)));
    const accepted = answers.filter(({ status }) => status === 202);
    const refused = answers.filter(({ status }) => status === 429);
    expect(accepted.length + refused.length).toBe(30);
    expect(accepted.length).toBeGreaterThanOrEqual(20);
    expect(refused.length).toBeGreaterThan(0);
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    for (const { body } of accepted) {
      expect(await service.ended(String(body.jobId))).toMatchObject({ status: 'completed' });
    }
  });

  it('cancels a job that runs or waits', async () => {
    const steps = Array.from({ length: 200 }, (_, i) => ({ text: `Step ${i}` }));
    await service.post('/api/preview/job', smallJob('long', { steps, options: { resolution: '1920x1080' } }));
    expect(await service.cancel('/api/preview/job/long')).toMatchObject({
      status: 200,
      body: { status: 'cancelled' },
    });
    expect(await service.ended('long')).toMatchObject({ status: 'cancelled' });
    expect(await service.get('/api/preview/job/long/artifact')).toMatchObject({ status: 409 });
  });

  it('answers broken JSON and an unknown field with 400 and the place', async () => {
    const broken = await service.post('/api/preview/job', '{"jobId": "a",}');
    expect(broken).toMatchObject({ status: 400, body: { code: 'invalid_json' } });
    expect(broken.body.detail).toContain('line 1, column 15');
    expect(broken.headers.get('content-type')).toContain('application/problem+json');
    const unknown = await service.post('/api/preview/job', { ...smallJob('x'), colour: 'red' });
    expect(unknown).toMatchObject({
      status: 400,
      body: { code: 'invalid_payload', errors: [{ pointer: '/colour' }] },
    });
    expect(await service.upload(Buffer.from('plain words'))).toMatchObject({ status: 415 });
  });

  it('says how the queue and the worker are', async () => {
    expect(await service.get('/api/preview/queue/metrics')).toMatchObject({
      status: 200,
      body: { limit: 20 },
    });
    expect(await service.get('/api/preview/worker/health')).toMatchObject({
      status: 200,
      body: { status: 'ok', queue: { connected: true } },
    });
    expect((await service.get('/readyz')).status).toBe(200);
    const { body } = await service.get('/metrics');
    expect(String(body.text)).toContain('preview_worker_jobs_total{outcome="success"}');
  });
});
