import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PreviewError } from '../../../src/errors.ts';
import type { PreviewJob } from '../../../src/job/previewJob.types.ts';
import { createRenderPool, type RenderPool } from '../../../src/worker/renderProcess/renderProcess.ts';
import { eventually } from '../../support/eventually.ts';
import { processFile } from '../../support/processes.ts';
import { fakeRenders, toldJob } from '../../support/queueWorld.ts';

const POOL_PROCESS = processFile('poolProcess');

describe('the render pool', () => {
  let folder: string;
  let pool: RenderPool;
  let nextJob = 0;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'preview-pool-'));
    pool = createRenderPool(folder, fakeRenders());
  });

  afterEach(async () => {
    await pool.close();
    await rm(folder, { recursive: true, force: true });
  });

  const render = (
    word: string,
    control: { signal?: AbortSignal; timeoutMs?: number } = {},
    rest: Partial<PreviewJob> = {},
  ) =>
    pool.render(
      { job: toldJob(`job-${nextJob++}`, [word], rest), assets: [] },
      { signal: new AbortController().signal, onProgress: () => undefined, ...control },
    );
  const childPid = async (rest: Partial<PreviewJob> = {}): Promise<number> =>
    Number((await render('pid', {}, rest)).timings.assets);

  /** Waits until the child has begun the task that was given last. */
  const begun = (): Promise<true> =>
    eventually(
      async () => existsSync(join(folder, `begun-tests-job-${nextJob - 1}`)) || undefined,
      'the start of the task',
    );

  it('keeps a child for the next task', async () => {
    expect(await childPid()).toBe(await childPid());
  });

  it('takes one child for each of the tasks that run at once', async () => {
    const pids = await Promise.all([childPid(), childPid(), childPid()]);
    expect(new Set(pids).size).toBe(3);
  });

  it('gives a storyboard to the child that has drawn it before', async () => {
    await Promise.all([childPid(), childPid()]);
    const mine = await childPid({ supersedes: 'mine' });
    expect(await childPid()).not.toBe(mine);
    expect(await childPid({ supersedes: 'yours' })).not.toBe(mine);
    for (let i = 0; i < 3; i++) expect(await childPid({ supersedes: 'mine' })).toBe(mine);
  });

  it('waits for the child of a storyboard that is about to be stopped, and no longer than that', async () => {
    // There are others that would have nothing to wait for.
    await Promise.all([childPid(), childPid()]);
    const mine = await childPid({ supersedes: 'mine' });
    const control = new AbortController();
    const older = render('until stopped', { signal: control.signal }, { supersedes: 'mine' });
    await begun();
    const newer = childPid({ supersedes: 'mine' });
    control.abort(new PreviewError('cancelled'));
    await expect(older).rejects.toMatchObject({ code: 'cancelled' });
    expect(await newer).toBe(mine);

    const endless = new AbortController();
    const running = render('until stopped', { signal: endless.signal }, { supersedes: 'mine' });
    await begun();
    expect(await childPid({ supersedes: 'mine' })).not.toBe(mine);
    endless.abort(new PreviewError('cancelled'));
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('hands on what the child says is wrong, and keeps the child', async () => {
    const before = await childPid();
    await expect(render('corrupt')).rejects.toMatchObject({
      code: 'asset_corrupt',
      message: 'The picture is broken.',
    });
    expect(await childPid()).toBe(before);
  });

  it('says how a child crashed, and goes on with another', async () => {
    const before = await childPid();
    const crash = await render('crash').catch((error: unknown) => error);
    expect(crash).toMatchObject({ code: 'render_crashed', cause: { message: expect.stringContaining('3') } });
    expect(await childPid()).not.toBe(before);
  });

  it('kills a child that is past its deadline', async () => {
    const before = await childPid();
    await expect(render('spin', { timeoutMs: 300 })).rejects.toMatchObject({ code: 'render_timeout' });
    await eventually(async () => (isAlive(before) ? undefined : true), 'the end of the child');
  });

  it('kills a child that does not stop when its task is aborted, and fails with the reason', async () => {
    const before = await childPid();
    const control = new AbortController();
    const rendering = render('spin', { signal: control.signal });
    await begun();
    control.abort(new PreviewError('cancelled'));
    await expect(rendering).rejects.toMatchObject({ code: 'cancelled' });
    await eventually(async () => (isAlive(before) ? undefined : true), 'the end of the child');
  });

  it('keeps a child that stops by itself, and fails with the reason', async () => {
    const before = await childPid();
    const control = new AbortController();
    const rendering = render('until stopped', { signal: control.signal });
    await begun();
    control.abort(new PreviewError('render_timeout'));
    await expect(rendering).rejects.toMatchObject({ code: 'render_timeout' });
    expect(await childPid()).toBe(before);
  });

  it('keeps a child that has not been told of its task when that is aborted', async () => {
    const before = await childPid();
    const control = new AbortController();
    const rendering = render('spin', { signal: control.signal });
    control.abort(new PreviewError('cancelled'));
    await expect(rendering).rejects.toMatchObject({ code: 'cancelled' });
    expect(await childPid()).toBe(before);
  });

  it('begins nothing for a signal that is aborted already', async () => {
    const signal = AbortSignal.abort(new PreviewError('cancelled'));
    await expect(render('done', { signal })).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('lets the child see nothing of the environment', async () => {
    const { message } = (await render('environment').catch((error: unknown) => error)) as Error;
    expect(message.split(',')).not.toContain('PATH');
    expect(message.split(',')).toContain('NODE_ENV');
  });

  it('ends every child when it is closed, busy or not', async () => {
    const idle = await childPid();
    const busy = render('spin').catch((error: unknown) => error);
    await pool.close();
    expect(await busy).toMatchObject({ code: 'render_crashed' });
    expect(isAlive(idle)).toBe(false);
  });

  it('leaves no child behind when its own process is killed', async () => {
    const parent = fork(POOL_PROCESS, [folder]);
    const child = await new Promise<number>((resolve) =>
      parent.once('message', (pid) => resolve(Number(pid))),
    );
    expect(isAlive(child)).toBe(true);
    parent.kill('SIGKILL');
    await eventually(async () => (isAlive(child) ? undefined : true), 'the end of the child');
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
