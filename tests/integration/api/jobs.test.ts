import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Service, smallJob, startService } from '../../support/service.ts';

const JOBS = '/api/preview/job';

describe('jobs over HTTP', () => {
  let service: Service;

  beforeAll(async () => {
    service = await startService();
    await service.post(JOBS, smallJob('finished'));
    await service.ended('finished');
  });

  afterAll(async () => {
    await service.stop();
  });

  describe('POST /api/preview/job', () => {
    test('answers 202 with links that lead to the job, though its id is not unique', async () => {
      const { status, headers, body } = await service.post(JOBS, smallJob('linked'));
      expect(status).toBe(202);
      const links = body.links as Record<string, string>;
      expect(headers.get('location')).toBe(links.status);
      expect(links.status).toBe('/api/preview/job/linked/status?projectId=tests');
      await service.ended('linked');
      for (const link of [links.status, links.artifacts]) {
        expect((await service.get(String(link))).status).toBe(200);
      }
    });

    test('names line and column of broken JSON', async () => {
      const { status, headers, body } = await service.post(JOBS, '{\n  "jobId": \n}');
      expect(status).toBe(400);
      expect(headers.get('content-type')).toContain('application/problem+json');
      expect(body).toMatchObject({
        code: 'invalid_json',
        detail: 'The body is not valid JSON: a value was expected at line 3, column 1.',
      });
    });

    test('names each mistake of a job by its pointer', async () => {
      const job = { ...smallJob('wrong', { steps: [{ durationSeconds: 0 }] }), colour: 'red' };
      const { status, body } = await service.post(JOBS, job);
      expect(status).toBe(400);
      const errors = body.errors as { pointer: string }[];
      expect(errors.map(({ pointer }) => pointer).sort()).toEqual([
        '/colour',
        '/previewRequest/steps/0/durationSeconds',
      ]);
    });

    test('refuses files of this machine', async () => {
      const job = smallJob('path', { assets: [{ id: 'a', type: 'image', path: 'etc/passwd' }] });
      const { status, body } = await service.post(JOBS, job);
      expect(status).toBe(400);
      expect(body).toMatchObject({
        code: 'invalid_payload',
        errors: [
          { pointer: '/previewRequest/assets/0/path', message: expect.stringContaining('/api/assets') },
        ],
      });
    });

    test('refuses a body above the limit with 413', async () => {
      const { status, body } = await service.post(JOBS, JSON.stringify({ data: 'x'.repeat(9e6) }));
      expect(status).toBe(413);
      expect(body).toMatchObject({ code: 'payload_too_large', detail: expect.stringContaining('8388608') });
    });

    test('refuses what is not JSON with 415', async () => {
      const response = await fetch(service.url + JOBS, { method: 'POST', body: 'jobId=a' });
      expect(response.status).toBe(415);
      expect(await response.json()).toMatchObject({ code: 'unsupported_media_type' });
    });
  });

  describe('GET …/status', () => {
    test('answers 404 for a job that nobody sent', async () => {
      expect(await service.get(`${JOBS}/nobody/status`)).toMatchObject({
        status: 404,
        body: { code: 'job_not_found', detail: 'There is no job "nobody".' },
      });
    });

    test('asks for the project where two have a job of the same id', async () => {
      for (const projectId of ['first', 'second']) {
        expect((await service.post(JOBS, smallJob('shared', {}, { projectId }))).status).toBe(202);
      }
      expect(await service.get(`${JOBS}/shared/status`)).toMatchObject({
        status: 409,
        body: { code: 'ambiguous_job' },
      });
      expect(await service.get(`${JOBS}/shared/status?projectId=second`)).toMatchObject({
        status: 200,
        body: { projectId: 'second' },
      });
    });
  });

  describe('GET …/artifact', () => {
    test('with ?name= answers that artifact alone', async () => {
      const { status, body } = await service.get(`${JOBS}/finished/artifact?name=poster.jpg`);
      expect(status).toBe(200);
      expect(body).toMatchObject({ name: 'poster.jpg', mediaType: 'image/jpeg' });
      expect(Date.parse(String(body.expiresAt))).toBeGreaterThan(Date.now());
    });

    test('with &redirect=1 leads to its bytes', async () => {
      const { status, headers } = await service.get(`${JOBS}/finished/artifact?name=poster.jpg&redirect=1`);
      expect(status).toBe(302);
      const poster = await fetch(service.url + headers.get('location'));
      expect(poster.headers.get('content-type')).toBe('image/jpeg');
    });

    test('names the artifacts that there are, where one is asked for that there is not', async () => {
      expect(await service.get(`${JOBS}/finished/artifact?name=preview.avi`)).toMatchObject({
        status: 404,
        body: { code: 'artifact_not_found', detail: expect.stringContaining('preview.mp4') },
      });
    });
  });

  test('DELETE of a job that has ended answers 409', async () => {
    expect(await service.cancel(`${JOBS}/finished`)).toMatchObject({
      status: 409,
      body: { code: 'job_already_finished', detail: 'Job "finished" is already completed.' },
    });
  });
});
