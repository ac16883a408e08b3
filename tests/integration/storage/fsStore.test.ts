import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFsStore } from '../../../src/storage/folder/fsStore.ts';
import { processFile } from '../../support/processes.ts';
import { canMount, mountTmpfs, unmount } from '../../support/tmpfs.ts';
import { digestOf, recordOf, storeSuite } from './storeSuite.ts';

const STORE_PROCESS = processFile('storeProcess');
const BYTES = Buffer.from('some bytes');
const KEY = 'c'.repeat(64);

const makeFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'preview-store-'));

storeSuite('file system', async () => {
  const folder = await makeFolder();
  return {
    open: () => createFsStore(folder),
    remove: () => rm(folder, { recursive: true }),
  };
});

describe('the store in a folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await makeFolder();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const temps = (): Promise<string[]> => readdir(join(folder, 'tmp'));
  const objectFile = (sha256: string): string => join(folder, 'objects', sha256.slice(0, 2), sha256);

  it('writes nothing outside of its folders, whatever the ids', async () => {
    const store = await createFsStore(folder);
    for (const id of ['.', '..', 'a']) await store.putRecord(recordOf({ jobId: id, projectId: id }));
    expect(await readdir(folder)).toEqual(['ended', 'jobs', 'tmp']);
    expect(await readdir(join(folder, 'jobs'))).toHaveLength(3);
  });

  it('does not write an object again that is there', async () => {
    const store = await createFsStore(folder);
    const { sha256 } = await store.putObject(BYTES);
    const { ino } = await stat(objectFile(sha256));
    await store.putObject(BYTES);
    await store.putObject(Readable.from([BYTES]));
    expect((await stat(objectFile(sha256))).ino).toBe(ino);
  });

  it('writes down when an object is used: by who puts it, finds its part, or asks for it', async () => {
    const store = await createFsStore(folder);
    const { sha256, bytes } = await store.putObject(BYTES);
    await store.putPart(KEY, { sha256, bytes });
    const longAgo = new Date('2020-01-01');
    const uses = [() => store.putObject(BYTES), () => store.getPart(KEY), () => store.statObject(sha256)];
    for (const use of uses) {
      await utimes(objectFile(sha256), longAgo, longAgo);
      const before = Date.now();
      await use();
      expect((await stat(objectFile(sha256))).mtimeMs).toBeGreaterThanOrEqual(before - 1000);
    }
  });

  it('writes an object again that has lost its end', async () => {
    const store = await createFsStore(folder);
    const part = await store.putObject(BYTES);
    await store.putPart(KEY, part);
    await truncate(objectFile(part.sha256), 3);
    expect(await store.getPart(KEY)).toBeUndefined();
    await store.putObject(BYTES);
    expect(await store.readObject(part.sha256)).toEqual(BYTES);
    expect(await store.getPart(KEY)).toEqual({ ...part, madeAt: expect.any(String) });
  });

  it.each(['', '{"sha256":"ab', 'null', '5', '{}', '{"sha256":"../../x","bytes":1}', '{"sha256":7}'])(
    'takes a part file with %j in it for none',
    async (damage) => {
      const store = await createFsStore(folder);
      await mkdir(join(folder, 'parts/cc'), { recursive: true });
      await writeFile(join(folder, 'parts/cc', `${KEY}.json`), damage);
      expect(await store.getPart(KEY)).toBeUndefined();
    },
  );

  it.each(['', '{"projectId":', 'null', '{}'])(
    'takes a record file with %j in it for none, and replaces it',
    async (damage) => {
      const store = await createFsStore(folder);
      await store.putRecord(recordOf());
      await writeFile(join(folder, 'jobs/intro/docs.json'), damage);
      expect(await store.getRecord('docs', 'intro')).toBeUndefined();
      expect(await store.findRecords('intro')).toEqual([]);
      const next = recordOf({ requestId: 'r-2' });
      expect(await store.putRecord(next)).toEqual(next);
      expect(await store.getRecord('docs', 'intro')).toEqual(next);
    },
  );

  it('leaves no temp file behind, neither after success nor after an error', async () => {
    const store = await createFsStore(folder);
    await store.putObject(BYTES);
    await store.putRecord(recordOf());
    await store.putRecord(recordOf());
    await store.check();
    const source = async function* () {
      yield BYTES;
      throw new Error('the line went dead');
    };
    await expect(store.putObject(source())).rejects.toThrow('the line went dead');
    await expect(store.putObject(BYTES.subarray(1), { sha256: KEY })).rejects.toThrow();
    await expect(store.putObject(BYTES.subarray(1), { maxBytes: 2 })).rejects.toThrow();
    expect(await temps()).toEqual([]);
  });

  describe('when a writer is killed in the middle', () => {
    it('shows nothing of its object, and removes its temp file at the next start, not before', async () => {
      const writer = fork(STORE_PROCESS, ['hang', folder]);
      try {
        await once(writer, 'message');
        expect(await temps()).toHaveLength(1);

        await createFsStore(folder);
        expect(await temps(), 'the writer lives').toHaveLength(1);
      } finally {
        writer.kill('SIGKILL');
      }
      await once(writer, 'exit');
      expect(await temps()).toHaveLength(1);
      expect(await readdir(folder)).toEqual(['tmp']);

      const store = await createFsStore(folder);
      expect(await temps()).toEqual([]);
      expect(await store.statObject(digestOf(Buffer.alloc(200_000, 'x')))).toBeUndefined();
    });

    it('removes its temp file also where this process has got its pid', async () => {
      await mkdir(join(folder, 'tmp'));
      const temp = join(folder, 'tmp', `${hostname()}~${process.pid}~0123456789abcdef`);
      await writeFile(temp, 'half');
      await createFsStore(folder);
      expect(await temps(), 'it could be ours').toHaveLength(1);
      const beforeOurStart = new Date(Date.now() - process.uptime() * 1000 - 5000);
      await utimes(temp, beforeOurStart, beforeOurStart);
      await createFsStore(folder);
      expect(await temps()).toEqual([]);
    });

    it('gives the temp file of another machine a day', async () => {
      await mkdir(join(folder, 'tmp'));
      const temp = join(folder, 'tmp', 'another.host~1~0123456789abcdef');
      await writeFile(temp, 'half');
      await createFsStore(folder);
      expect(await temps()).toHaveLength(1);
      const twoDaysAgo = new Date(Date.now() - 2 * 86_400_000);
      await utimes(temp, twoDaysAgo, twoDaysAgo);
      await createFsStore(folder);
      expect(await temps()).toEqual([]);
    });
  });

  describe('in a process that may open 256 files', () => {
    const answerTo = (task: string): unknown => {
      const args = ['-c', 'ulimit -n 256; exec "$0" "$@"', process.execPath, '--import', 'tsx'];
      return JSON.parse(execFileSync('sh', [...args, STORE_PROCESS, task, folder], { encoding: 'utf8' }));
    };

    it('writes and reads more than that, asked for at once', () => {
      expect(answerTo('many')).toBe(true);
    });

    it('says that too many are open, and what to do, and goes on when they are closed', () => {
      const { told, messages, after } = answerTo('exhaust') as Record<string, unknown>;
      expect(told).toBe('EMFILE');
      expect(messages).toEqual(
        Array(3).fill(
          'PreviewError: The store cannot be used (EMFILE); this process has too many files open: raise its limit with `ulimit -n`, or LimitNOFILE= in a systemd unit. Nothing was kept.',
        ),
      );
      expect(after).toBe('text');
    });
  });

  describe('when the disk fails', () => {
    it('says so where a file is too large for it, leaves nothing, and goes on with smaller ones', async () => {
      // The file size limit of a process (setrlimit(2)) is a disk that runs full for whoever writes more.
      const script = `trap '' XFSZ; ulimit -f 1000; exec "$0" "$@"`;
      const args = ['-c', script, process.execPath, STORE_PROCESS, 'overflow', folder];
      const answer = execFileSync('sh', args, { encoding: 'utf8' });
      expect(JSON.parse(answer)).toEqual({ large: 'store_unavailable', small: 'done' });
      expect(await temps()).toEqual([]);
      expect(await readdir(join(folder, 'objects'))).toEqual([digestOf(Buffer.from('small')).slice(0, 2)]);
    });

    it.skipIf(!canMount)('says so where it is full (skipped where no disk can be mounted)', async () => {
      mountTmpfs(folder, '512k');
      try {
        const store = await createFsStore(folder);
        await expect(store.putObject(Buffer.alloc(1_000_000, 'x'))).rejects.toMatchObject({
          code: 'store_unavailable',
          cause: { code: 'ENOSPC' },
        });
        expect(await temps()).toEqual([]);
        expect(await store.putObject(BYTES)).toMatchObject({ bytes: BYTES.length });
      } finally {
        unmount(folder);
      }
    });

    it('says so where its folder is gone, without the path', async () => {
      const store = await createFsStore(folder);
      await rm(folder, { recursive: true });
      const uses = [
        () => store.check(),
        () => store.putObject(BYTES),
        () => store.putPart(KEY, { sha256: KEY, bytes: 1 }),
        () => store.putRecord(recordOf()),
      ];
      for (const use of uses) {
        const error = await use().catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code: 'store_unavailable', cause: { code: 'ENOENT' } });
        expect(String(error)).not.toContain(folder);
      }
    });

    it('says so where a file is in the place of its folder', async () => {
      await writeFile(join(folder, 'file'), 'not a folder');
      await expect(createFsStore(join(folder, 'file'))).rejects.toMatchObject({ code: 'store_unavailable' });
      expect(await readFile(join(folder, 'file'), 'utf8')).toBe('not a folder');
    });
  });
});
