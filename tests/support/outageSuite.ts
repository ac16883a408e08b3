import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { hasRedis, startRedis, type TestRedis } from './redis.ts';
import { type Answer, type Service, smallJob, startService } from './service.ts';

/** Redis is killed under load, and comes back after so many seconds. */
export function outageSuite(outages: readonly number[]): void {
  describe.skipIf(!hasRedis())('a service under load', () => {
    let redis: TestRedis;
    let service: Service;

    beforeAll(async () => {
      redis = await startRedis();
      service = await startService({ REDIS_URL: redis.url, PREVIEW_QUEUE_MAX: '1000' });
    });

    afterAll(async () => {
      await service.stop();
      await redis.stop();
    });

    it.each(outages)(
      'answers 503 while Redis is gone for %i s, and goes on by itself afterwards',
      async (seconds) => {
        const accepted: string[] = [];
        let sent = 0;
        const send = async (): Promise<Answer> => {
          const jobId = `outage-${seconds}-${sent++}`;
          const answer = await service.post('/api/preview/job', smallJob(jobId));
          if (answer.status === 202) accepted.push(jobId);
          return answer;
        };
        for (let i = 0; i < 10; i++) expect(await send()).toMatchObject({ status: 202 });

        await redis.kill();
        const back = Date.now() + seconds * 1000;
        while (Date.now() < back) {
          const answer = await send();
          expect(answer).toMatchObject({ status: 503, body: { code: 'queue_unavailable' } });
          expect(answer.headers.get('content-type')).toContain('application/problem+json');
          await eventually(
            async () => (await service.get('/readyz')).status === 503 || undefined,
            'not ready',
          );
        }
        await redis.restart();

        await eventually(async () => (await service.get('/readyz')).status === 200 || undefined, 'ready');
        await eventually(async () => (await send()).status === 202 || undefined, 'a job being accepted');
        for (const jobId of accepted)
          expect(await service.ended(jobId)).toMatchObject({ status: 'completed' });
      },
      150_000,
    );
  });
}
