import { type ChildProcess, fork } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockFolder } from '../../../src/queue/embedded/folderLock.ts';
import { processFile } from '../../support/processes.ts';

const LOCK_PROCESS = processFile('lockProcess');

describe('the lock of a folder', () => {
  let root: string;
  let folder: string;
  let owner: ChildProcess | undefined;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'preview-lock-'));
    // Longer than the 108 bytes that a socket's address may have.
    folder = join(root, 'a-folder-with-a-very-long-name'.repeat(4), 'queue');
    await mkdir(folder, { recursive: true });
  });

  afterEach(async () => {
    owner?.kill('SIGKILL');
    await rm(root, { recursive: true, force: true });
  });

  const lockElsewhere = async (): Promise<ChildProcess> => {
    owner = fork(LOCK_PROCESS, [folder]);
    await new Promise((resolve) => owner?.once('message', resolve));
    return owner;
  };

  it('refuses a second process within a second, naming the first, however busy that is', async () => {
    const { pid } = await lockElsewhere();
    const started = Date.now();
    await expect(lockFolder(folder)).rejects.toMatchObject({
      code: 'embedded_queue_locked',
      message: expect.stringContaining(`Process ${pid} `),
    });
    expect(Date.now() - started).toBeLessThan(1000);
  });

  it('is free as soon as its process was killed', async () => {
    const killed = await lockElsewhere();
    const gone = new Promise((resolve) => killed.once('exit', resolve));
    killed.kill('SIGKILL');
    await gone;
    const lock = await lockFolder(folder);
    await lock.release();
  });

  it('can be taken again after it was released, and leaves nothing in the folder', async () => {
    const first = await lockFolder(folder);
    await expect(lockFolder(folder)).rejects.toMatchObject({ code: 'embedded_queue_locked' });
    await first.release();
    const second = await lockFolder(folder);
    expect(await readdir(folder)).toEqual([]);
    await second.release();
  });

  it('is won by one of many that start together', async () => {
    const taken = await Promise.allSettled(Array.from({ length: 10 }, () => lockFolder(folder)));
    const won = taken.filter((result) => result.status === 'fulfilled');
    expect(won).toHaveLength(1);
    await won[0]?.value.release();
  });

  it('is one of its own for each folder', async () => {
    const other = join(root, 'other');
    await mkdir(other);
    const locks = await Promise.all([lockFolder(folder), lockFolder(other)]);
    for (const lock of locks) await lock.release();
  });
});
