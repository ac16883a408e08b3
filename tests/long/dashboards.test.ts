import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEPLOY, queries, watched } from '../support/dashboards.ts';
import { eventually } from '../support/eventually.ts';
import { hasPrometheus, startPrometheus, type TestPrometheus } from '../support/prometheus.ts';
import { type Service, smallJob, startService } from '../support/service.ts';

describe.skipIf(!hasPrometheus())(
  'under load, on real Prometheus (skipped where it is not installed)',
  () => {
    let service: Service;
    let prometheus: TestPrometheus;

    beforeAll(async () => {
      service = await startService();
      prometheus = await startPrometheus({
        targets: [{ job: 'preview-api', url: service.url }],
        rules: join(DEPLOY, 'prometheus/rules.yml'),
      });
      // A rate needs a count before and one after, so there are several rounds, each seen by a scrape.
      for (let round = 0; round < 4; round++) {
        await load(service, round);
        const seen = await scrapes(prometheus);
        await eventually(async () => ((await scrapes(prometheus)) > seen ? true : undefined), 'a scrape');
      }
    });

    afterAll(async () => {
      await prometheus.stop();
      await service.stop();
    });

    it.each(queries)('%s has data: %s', async (_, expr) => {
      const series = await prometheus.query(expr.replaceAll('$__rate_interval', '30s'));
      expect(series.flat().some(Number.isFinite)).toBe(true);
    });

    it.each(watched)('docs/rollout.md: %s has data', async (expr) => {
      const series = await prometheus.query(expr.replaceAll('[10m]', '[30s]'));
      expect(series.flat().some(Number.isFinite)).toBe(true);
    });
  },
);

/** How often Prometheus has asked the service. */
async function scrapes(prometheus: TestPrometheus): Promise<number> {
  const series = await prometheus.query('count_over_time(up[1m])');
  return series.at(0)?.at(-1) ?? 0;
}

/** What senders do: previews, the same once more, dry runs, what cannot be rendered, and questions. */
async function load(service: Service, round: number): Promise<void> {
  const upload = await service.upload(Buffer.from('RIFF0000WEBPVP8 broken'));
  const broken = {
    steps: [{ asset: 'a' }],
    assets: [{ id: 'a', type: 'image' as const, upload: String(upload.body.sha256) }],
  };
  const jobs = [
    smallJob(`preview-${round}`, { title: `Round ${round}` }),
    smallJob(`again-${round}`, { title: 'Always the same' }),
    smallJob(`plan-${round}`, {}, { dryRun: true }),
    smallJob(`broken-${round}`, upload.status < 300 ? broken : { steps: [] }),
  ];
  for (const job of jobs) await service.post('/api/preview/job', job);
  await service.post('/api/preview/job', { jobId: 'wrong' });
  for (const job of jobs) await service.ended(job.jobId);
}
