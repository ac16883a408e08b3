import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { openQueueWorld, type QueueWorld, toldJob } from '../../support/queueWorld.ts';
import { hasRedis, startRedis } from '../../support/redis.ts';
import { canMount, mountTmpfs, unmount } from '../../support/tmpfs.ts';

const ofProject = (projectId: string, count: number) =>
  Array.from({ length: count }, (_, i) => toldJob(`${projectId}-${i}`, [], { projectId }));

let world: QueueWorld;
let stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.reverse()) await stop();
  stops = [];
});

describe('what cannot be kept is not accepted', () => {
  it.skipIf(!hasRedis())('where Redis is out of memory', async () => {
    const redis = await startRedis();
    stops.push(redis.stop);
    world = await openQueueWorld(redis.url);
    stops.push(world.close);
    const admin = new Redis(redis.url);
    stops.push(async () => admin.disconnect());
    await admin.config('SET', 'maxmemory', '1');
    for (let i = 0; i < 20; i++)
      await expect(world.client.enqueue(toldJob('no-room'))).rejects.toMatchObject({
        code: 'queue_unavailable',
        status: 503,
        cause: { message: expect.stringContaining('OOM') },
      });
    await admin.config('SET', 'maxmemory', '0');
    await expect(world.client.status({ jobId: 'no-room' })).rejects.toMatchObject({ code: 'job_not_found' });
    // Who was refused has no place: all of them are there.
    for (const job of ofProject('tests', 19)) await world.client.enqueue(job);
    expect(await world.client.enqueue(toldJob('no-room'))).toMatchObject({ outcome: 'accepted' });
  });

  it.skipIf(!hasRedis())('where Redis cannot save what it holds', async () => {
    const redis = await startRedis();
    // It does not end in order without having saved.
    stops.push(redis.stop, redis.kill);
    world = await openQueueWorld(redis.url);
    stops.push(world.close);
    const admin = new Redis(redis.url);
    stops.push(async () => admin.disconnect());
    await rm(redis.folder, { recursive: true });
    await admin.bgsave();
    await eventually(
      async () => (await admin.info('persistence')).includes('rdb_last_bgsave_status:err') || undefined,
      'the failed save',
    );
    await expect(world.client.enqueue(toldJob('unsaved'))).rejects.toMatchObject({
      code: 'queue_unavailable',
      cause: { message: expect.stringContaining('MISCONF') },
    });
    expect(await world.client.queueMetrics()).toMatchObject({ total: 0 });
  });

  it.skipIf(!canMount)('where the disk is full (skipped where no disk can be mounted)', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'preview-full-'));
    stops.push(() => rm(folder, { recursive: true, force: true }));
    const store = join(folder, 'store');
    world = await openQueueWorld(undefined, { dataDir: folder });
    stops.push(world.close);
    mountTmpfs(store, '256k');
    stops.push(async () => unmount(store));
    await mkdir(join(store, 'tmp'));
    await writeFile(join(store, 'filler'), Buffer.alloc(1_000_000)).catch(() => undefined);
    await expect(world.client.enqueue(toldJob('full'))).rejects.toMatchObject({
      code: 'store_unavailable',
      status: 503,
    });
    await rm(join(store, 'filler'));
    await expect(world.client.status({ jobId: 'full' })).rejects.toMatchObject({ code: 'job_not_found' });
    expect(await world.client.enqueue(toldJob('full'))).toMatchObject({ outcome: 'accepted' });
  });
});
