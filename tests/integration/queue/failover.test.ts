import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/logger.ts';
import { eventually } from '../../support/eventually.ts';
import { type Forwarder, startForwarder } from '../../support/forwarder.ts';
import { hasRedis, startRedis, type TestRedis } from '../../support/redis.ts';
import { type Service, smallJob, startService } from '../../support/service.ts';

/** Longer than a connection may be silent, or the lock of a job is kept. */
const HEALED_SECONDS = 60;

describe.skipIf(!hasRedis())('where a replica takes the place of the primary', () => {
  let first: TestRedis;
  let second: TestRedis;
  let address: Forwarder;
  let service: Service;
  let told: string[];

  beforeEach(async () => {
    [first, second] = await Promise.all([startRedis(), startRedis()]);
    await second.run('REPLICAOF', '127.0.0.1', portOf(first));
    await eventually(
      async () => String(await second.run('INFO', 'replication')).includes('link_status:up') || undefined,
      'the replica',
    );
    address = await startForwarder(Number(portOf(first)));
    told = [];
    const destination = {
      write(line: string): void {
        const { msg, jobId } = JSON.parse(line);
        if (msg === 'job completed') told.push(jobId);
      },
    };
    service = await startService(
      { REDIS_URL: `redis://127.0.0.1:${address.port}` },
      createLogger('info', { destination }),
    );
  });

  afterEach(async () => {
    await service.stop();
    await address.close();
    await Promise.all([first.stop(), second.stop()]);
  });

  const send = async (jobId: string): Promise<number> =>
    (await service.post('/api/preview/job', smallJob(jobId))).status;

  /** Jobs of which some have ended, some run and some wait. */
  const underWay = async (): Promise<string[]> => {
    const jobIds = Array.from({ length: 12 }, (_, i) => `before-${i}`);
    // A busy machine may keep Redis from answering for two seconds, and the sender is told to come again.
    for (const jobId of jobIds) {
      await eventually(async () => (await send(jobId)) < 300 || undefined, `${jobId} being accepted`);
    }
    await eventually(async () => told.length > 1 || undefined, 'the first ends');
    return jobIds;
  };

  const expectHealed = async (before: string[]): Promise<void> => {
    const moved = Date.now();
    await eventually(async () => (await send('after')) === 202 || undefined, 'a job being accepted');
    expect(Date.now() - moved).toBeLessThan(10_000);
    expect((await service.get('/readyz')).status).toBe(200);
    for (const jobId of [...before, 'after']) {
      await eventually(
        async () =>
          (await service.get(`/api/preview/job/${jobId}/status`)).body.status === 'completed' || undefined,
        `the end of ${jobId}`,
        HEALED_SECONDS,
      );
    }
    // A job is told of when its record, which the status is read from, has been written.
    await eventually(async () => told.includes('after') || undefined, 'the word of the last end');
    expect(told.toSorted()).toEqual([...before, 'after'].toSorted());
    expect(await service.get('/api/preview/worker/health')).toMatchObject({ body: { status: 'ok' } });
  };

  it('and the primary follows it, all goes on by itself', async () => {
    const jobIds = await underWay();
    await first.run('FAILOVER', 'TO', '127.0.0.1', portOf(second), 'TIMEOUT', '10000');
    await eventually(
      async () => String(await first.run('ROLE')).startsWith('slave') || undefined,
      'the change of roles',
    );
    // Nobody has closed a connection, and none of what is open leads to where jobs can be kept.
    expect(await service.get('/readyz')).toMatchObject({ status: 503 });
    address.target = Number(portOf(second));
    await expectHealed(jobIds);
  });

  it('and the primary says nothing more, all goes on by itself', async () => {
    const jobIds = await underWay();
    first.signal('SIGSTOP');
    try {
      await second.run('REPLICAOF', 'NO', 'ONE');
      address.target = Number(portOf(second));
      await expectHealed(jobIds);
    } finally {
      first.signal('SIGCONT');
    }
  });
});

const portOf = ({ url }: TestRedis): string => new URL(url).port;
