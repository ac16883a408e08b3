import { afterEach, describe, expect, test } from 'vitest';
import { anyBackend, type QueueBackendName, startQueueBackend } from '../../support/queueBackends.ts';
import { openQueueWorld, type QueueWorld, toldJob } from '../../support/queueWorld.ts';
import { freePort } from '../../support/redis.ts';
import { runCli } from '../../support/runCli.ts';
import { EMBEDDED, type Service, smallJob, startService } from '../../support/service.ts';

const run = (args: string[], env: Record<string, string>) => runCli(['dead-letter', ...args], env);

describe('preview-worker dead-letter', () => {
  let service: Service | undefined;
  afterEach(async () => {
    await service?.stop();
  });

  /** What the test does with two dead letters that no service has open. */
  const withLetters = async (name: QueueBackendName, use: (env: Record<string, string>) => Promise<void>) => {
    const queue = await startQueueBackend(name);
    const world: QueueWorld = await openQueueWorld(queue.url, { keep: true });
    await world.startWorker();
    await world.client.enqueue(toldJob('unlucky', ['corrupt', 'done']));
    await world.client.enqueue(toldJob('hopeless', ['corrupt']));
    await world.reaches('unlucky', 'failed');
    await world.reaches('hopeless', 'failed');
    // The embedded queue is free again only when its process has closed it.
    await world.close();

    const env = { DATA_DIR: world.dataDir, ...(queue.url ? { REDIS_URL: queue.url } : {}) };
    try {
      await use(env);
    } finally {
      await queue.stop();
      await world.remove();
    }
  };

  test(
    'lists, shows, replays and discards what is in the queue',
    () =>
      withLetters(anyBackend, async (env) => {
        const listed = await run(['list'], env);
        expect(listed).toMatchObject({ code: 0, err: '' });
        expect(listed.out.trim().split('\n')).toHaveLength(2);
        expect(listed.out).toMatch(
          /tests\/unlucky {2}asset_corrupt {2}stage assets {2}1 attempt {2}The picture is broken\./,
        );

        const shown = await run(['show', 'unlucky'], env);
        expect(JSON.parse(shown.out)).toMatchObject({ jobId: 'unlucky', attempts: [{ attempt: 1 }] });

        expect(await run(['replay', 'unlucky'], env)).toMatchObject({
          code: 0,
          out: 'tests/unlucky is queued\n',
        });
        expect(await run(['discard', 'hopeless', '--project', 'tests'], env)).toMatchObject({ code: 0 });
        expect(await run(['list'], env)).toMatchObject({ code: 0, out: 'There are no dead letters.\n' });
        expect(await run(['show', 'hopeless'], env)).toMatchObject({
          code: 1,
          err: expect.stringContaining('dead_letter_not_found'),
        });
      }),
    90_000,
  );

  test(
    'lists and replays what is in the embedded queue',
    () =>
      withLetters('embedded', async (env) => {
        expect((await run(['list'], env)).out.trim().split('\n')).toHaveLength(2);
        expect(await run(['replay', 'unlucky'], env)).toMatchObject({
          code: 0,
          out: 'tests/unlucky is queued\n',
        });
      }),
    90_000,
  );

  test('asks the service over HTTP while that has the embedded queue', async () => {
    const port = await freePort();
    const key = 'tests-key-0123456789abcdef';
    service = await startService({ ...EMBEDDED, PORT: String(port), PREVIEW_API_KEYS: `tests:${key}` });
    const job = smallJob('unlucky', {
      steps: [{ asset: 'p' }],
      assets: [{ id: 'p', type: 'image', upload: 'a'.repeat(64) }],
    });
    await fetch(`${service.url}/api/preview/job`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(job),
    });
    const env = { DATA_DIR: service.dataDir, PORT: String(port), PREVIEW_API_KEY: key };
    await expect
      .poll(() => run(['list'], env), { timeout: 30_000 })
      .toMatchObject({ code: 0, out: expect.stringContaining('tests/unlucky  asset_missing') });
    expect(await run(['replay', 'unlucky'], env)).toMatchObject({ code: 0 });
    expect(await run(['discard', 'nobody'], env)).toMatchObject({
      code: 1,
      err: expect.stringContaining('dead_letter_not_found'),
    });
  }, 90_000);
});
