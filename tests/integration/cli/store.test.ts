import { mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PreviewJob } from '../../../src/job/previewJob.types.ts';
import type { ArtifactStore, StoredObject } from '../../../src/storage/artifactStore.ts';
import { layoutOf } from '../../../src/storage/folder/fsLayout.ts';
import { createFsStore } from '../../../src/storage/folder/fsStore.ts';
import { placeDatabase } from '../../support/placeDatabase.ts';
import { openQueueWorld, toldJob } from '../../support/queueWorld.ts';
import { hasRedis, openRedis } from '../../support/redis.ts';
import { runCli } from '../../support/runCli.ts';

describe('preview-worker store', () => {
  let dataDir: string;
  let store: ArtifactStore;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'preview-store-command-'));
    store = await createFsStore(join(dataDir, 'store'));
  });
  afterEach(() => rm(dataDir, { recursive: true, force: true }));

  const pathOf = (sha256: string): string => layoutOf(join(dataDir, 'store')).objectPath(sha256);

  /** An upload that was used last so many days ago. */
  async function oldUpload(text: string, days = 40): Promise<StoredObject> {
    const object = await store.putObject(Buffer.from(text));
    await used(object.sha256, days);
    return object;
  }

  async function used(sha256: string, daysAgo: number): Promise<void> {
    const time = Date.now() / 1000 - daysAgo * 86_400;
    await utimes(pathOf(sha256), time, time);
  }

  test('verify says that all is well, or names what is not and exits with 1', async () => {
    const { sha256 } = await store.putObject(Buffer.from('bytes'));
    const env = { DATA_DIR: dataDir };
    expect(await runCli(['store', 'verify'], env)).toMatchObject({
      code: 0,
      out: '1 objects (0.0 kB) and 0 records: no damage\n',
    });
    await writeFile(pathOf(sha256), 'bytEs');
    const found = await runCli(['store', 'verify'], env);
    expect(found).toMatchObject({ code: 1, out: expect.stringContaining(`object ${sha256}: its bytes`) });
    await runCli(['store', 'verify', '--remove-damaged'], env);
    expect(await runCli(['store', 'verify'], env)).toMatchObject({ code: 0 });
  }, 60_000);

  test('gc keeps what a URL may lead to that a player got with its playlist', async () => {
    // A week, and half of it more for a URL that caches know again.
    const [playing, over] = [await oldUpload('segment 1', 11), await oldUpload('segment 2', 12)];
    const env = { DATA_DIR: dataDir, PREVIEW_RETENTION_DAYS: '1', PREVIEW_URL_TTL_SECONDS: '604800' };
    expect(await runCli(['store', 'gc'], env)).toMatchObject({ code: 0 });
    expect(await stat(pathOf(playing.sha256))).toBeDefined();
    await expect(stat(pathOf(over.sha256))).rejects.toMatchObject({ code: 'ENOENT' });
  }, 60_000);

  test('gc asks for the days that things are kept', async () => {
    await placeDatabase(dataDir);
    expect(await runCli(['store', 'gc'], { DATA_DIR: dataDir })).toMatchObject({
      code: 1,
      err: expect.stringContaining('PREVIEW_RETENTION_DAYS'),
    });
  }, 60_000);

  test.each(['verify', 'gc'])(
    '%s is for a folder, and refuses a bucket',
    async (command) => {
      await placeDatabase(dataDir);
      const env = { STORE_URL: 's3://bucket?endpoint=http://127.0.0.1:1', PREVIEW_RETENTION_DAYS: '30' };
      expect(await runCli(['store', command], { DATA_DIR: dataDir, ...env })).toMatchObject({
        code: 1,
        err: expect.stringContaining('STORE_URL names a bucket'),
      });
    },
    60_000,
  );

  test.skipIf(!hasRedis())(
    'gc removes what is old, but nothing that a waiting job or a dead letter needs',
    async () => {
      const redis = await openRedis();
      const world = await openQueueWorld(redis.url, { dataDir });
      try {
        const [unused, waited, buried] = [
          await oldUpload('unused'),
          await oldUpload('waited for'),
          await oldUpload('of a dead letter'),
        ];
        await world.client.enqueue(withUpload(toldJob('dead', ['corrupt']), buried));
        const worker = await world.startWorker();
        await world.reaches('dead', 'failed');
        await worker.stop();
        await world.client.enqueue(withUpload(toldJob('waiting'), waited));
        // Both have waited for long.
        for (const { sha256 } of [waited, buried]) await used(sha256, 40);
        const env = { DATA_DIR: dataDir, REDIS_URL: redis.url, PREVIEW_RETENTION_DAYS: '30' };
        const dry = await runCli(['store', 'gc', '--dry-run'], env);
        expect(dry).toMatchObject({
          code: 0,
          out: expect.stringContaining('objects: 1 (0.0 kB) would be removed'),
        });
        expect(await stat(pathOf(unused.sha256))).toBeDefined();
        const real = await runCli(['store', 'gc'], env);
        // The third is the history of the job that is dead.
        expect(real.out).toMatch(/objects: 1 \(0\.0 kB\) were removed, 3 \(\d\.\d kB\) kept/);
        await expect(stat(pathOf(unused.sha256))).rejects.toMatchObject({ code: 'ENOENT' });
        for (const { sha256 } of [waited, buried]) expect(await stat(pathOf(sha256))).toBeDefined();
      } finally {
        await world.close();
        await redis.stop();
      }
    },
    90_000,
  );
});

/** The job with an asset that no step shows: nothing reads it, but the job says that it needs it. */
function withUpload(job: PreviewJob, { sha256 }: StoredObject): PreviewJob {
  const assets = [{ id: 'photo', type: 'image' as const, upload: sha256 }];
  return { ...job, previewRequest: { ...job.previewRequest, assets } };
}
