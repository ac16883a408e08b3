import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/cli/doctor/finding.ts';
import { findLimits } from '../../../src/cli/doctor/limitFindings.ts';
import { findQueue } from '../../../src/cli/doctor/queueFindings.ts';
import { findStore } from '../../../src/cli/doctor/storeFindings.ts';
import { type Config, loadConfig } from '../../../src/config.ts';
import { CLI } from '../../support/processes.ts';
import { hasRedis, startRedis, type TestRedis } from '../../support/redis.ts';
import { runCli } from '../../support/runCli.ts';
import { canMount, mountTmpfs, unmount } from '../../support/tmpfs.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'preview-doctor-test-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const configOf = (env: Record<string, string> = {}): Config => loadConfig({ DATA_DIR: dataDir, ...env });
const bad = (findings: readonly Finding[]): string[] =>
  findings.filter(({ status }) => status !== 'ok').map(({ status, message }) => `${status}: ${message}`);
/** Each that is not well says what to do. */
const expectAdvice = (findings: readonly Finding[]): void => {
  for (const finding of findings) if (finding.status !== 'ok') expect(finding.advice).toMatch(/\.$/);
};

describe('preview-worker doctor', () => {
  it('finds a machine on which the service can work', async () => {
    const { code, out, err } = await runCli(['doctor', '--json'], { DATA_DIR: dataDir });
    const { ok, findings } = JSON.parse(out) as { ok: boolean; findings: Finding[] };
    expect(findings.filter(({ status }) => status === 'fail')).toEqual([]);
    expect({ code, ok, err }).toEqual({ code: 0, ok: true, err: '' });
    expect(new Set(findings.map(({ subject }) => subject))).toEqual(
      new Set(['config', 'queue', 'store', 'fonts', 'codecs', 'limits']),
    );
    expect(findings.map(({ message }) => message).join()).toMatch(/rendered as mp4 .*rendered as webm/);
  }, 90_000);

  it('names each setting that cannot be read, and exits with 1', async () => {
    const env = { DATA_DIR: dataDir, PORT: 'http', PREVIEW_QUEUE_MAX: '0' };
    const { code, out } = await runCli(['doctor'], env);
    expect(code).toBe(1);
    expect(out).toMatch(/FAIL {2}config {2}PORT is "http", but must be/);
    expect(out).toMatch(/FAIL {2}config {2}PREVIEW_QUEUE_MAX is "0"/);
    expect(out).toMatch(/2 problems to solve/);
  });

  it('finds a Redis that is not there, and a folder for fonts that is not there', async () => {
    const env = {
      DATA_DIR: dataDir,
      REDIS_URL: 'redis://:secret@127.0.0.1:1',
      PREVIEW_FONTS_DIR: join(dataDir, 'none'),
    };
    const { code, out } = await runCli(['doctor'], env);
    expect(code).toBe(1);
    expect(out).toMatch(/FAIL {2}queue {3}The queue does not answer: .*\n.*→ Make sure that it runs/);
    expect(out).toMatch(/FAIL {2}fonts {3}PREVIEW_FONTS_DIR .* cannot be read/);
    expect(out).not.toContain('secret');
  }, 60_000);

  it('finds a place for data that cannot be one, and looks at the rest', async () => {
    const file = join(dataDir, 'file');
    await writeFile(file, '');
    const { code, out, err } = await runCli(['doctor'], { DATA_DIR: join(file, 'data') });
    expect({ code, err }).toEqual({ code: 1, err: '' });
    expect(out).toMatch(
      /FAIL {2}queue {3}The embedded queue cannot be opened: ENOTDIR.*\n.*→ Make sure that DATA_DIR/,
    );
    expect(out).toMatch(/FAIL {2}store /);
    expect(out).toMatch(/OK {4}codecs /i);
  }, 60_000);
});

/** What the connections of the doctor itself may take; it warns when less than a fifth of the memory is left. */
const ROOM_BYTES = 150_000;

describe.skipIf(!hasRedis())('of Redis, the doctor', () => {
  let redis: TestRedis;
  let admin: Redis;
  beforeAll(async () => {
    redis = await startRedis();
    admin = new Redis(redis.url);
  });
  afterAll(async () => {
    admin.disconnect();
    // While it writes its first append-only file anew, it does not hear SIGTERM.
    await redis.kill();
    await redis.stop();
  });
  const found = (): Promise<Finding[]> => findQueue(configOf({ REDIS_URL: redis.url }));

  it('has nothing to say against one that keeps what it accepts', async () => {
    const findings = await found();
    expect(bad(findings)).toEqual([]);
    expect(findings.map(({ subject }) => subject)).toContain('time');
  });

  it.each([
    ['maxmemory-policy', 'allkeys-lru', 'noeviction', /^fail: Its maxmemory-policy is allkeys-lru/],
    ['appendonly', 'no', 'yes', /^fail: It has no append-only file/],
    ['appendfsync', 'everysec', 'always', /^warn: It keeps an append-only file and syncs it each second/],
  ])('finds %s %s', async (name, wrong, right, said) => {
    await admin.config('SET', name, wrong);
    const findings = await found();
    await admin.config('SET', name, right);
    expect(bad(findings)).toEqual([expect.stringMatching(said)]);
    expectAdvice(findings);
  });

  it('finds that its memory is nearly full', async () => {
    const used = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1]);
    // Room for the connections of the doctor itself.
    await admin.config('SET', 'maxmemory', String(used + ROOM_BYTES));
    const findings = await found();
    await admin.config('SET', 'maxmemory', '0');
    expect(bad(findings)).toEqual([expect.stringMatching(/^warn: Its memory is \d+ % full/)]);
    expectAdvice(findings);
  });

  it('finds that it is a replica', async () => {
    await admin.replicaof('127.0.0.1', 1);
    const findings = await found();
    await admin.replicaof('NO', 'ONE');
    expect(bad(findings)).toEqual(['fail: It is a replica and accepts no writes.']);
    expectAdvice(findings);
  });

  it('finds clocks that differ', async () => {
    const now = Date.now;
    try {
      Date.now = () => now() - 7000;
      expect(bad(await found())).toEqual([
        expect.stringMatching(/^fail: The clock of Redis is [67]\.\d\d s ahead of ours/),
      ]);
      Date.now = () => now() + 2000;
      expect(bad(await found())).toEqual([
        expect.stringMatching(/^warn: The clock of Redis is [12]\.\d\d s behind ours/),
      ]);
    } finally {
      Date.now = now;
    }
  });
});

/** Root may write everywhere. */
const isRoot = process.getuid?.() === 0;

describe('of the store, the doctor', () => {
  it('finds that there is a file in the place of the folder', async () => {
    await writeFile(join(dataDir, 'store'), '');
    const findings = await findStore(configOf());
    expect(bad(findings)).toEqual([expect.stringMatching(/^fail: .* cannot be used/)]);
    expectAdvice(findings);
  });

  it.skipIf(isRoot)('finds that it may not write there', async () => {
    await chmod(dataDir, 0o500);
    expect(bad(await findStore(configOf()))).toEqual([expect.stringMatching(/^fail: .* cannot be used/)]);
    await chmod(dataDir, 0o700);
  });

  it.skipIf(!canMount)('finds a small and a full disk (skipped where no disk can be mounted)', async () => {
    mountTmpfs(dataDir, '1m');
    try {
      expect(bad(await findStore(configOf()))).toEqual([expect.stringMatching(/^fail: .* free on its disk/)]);
      await writeFile(join(dataDir, 'filler'), Buffer.alloc(1 << 20)).catch(() => undefined);
      expect(bad(await findStore(configOf()))).toEqual([
        expect.stringMatching(/^fail: .* cannot be used: .*ENOSPC/),
      ]);
    } finally {
      unmount(dataDir);
    }
  });

  it('finds a bucket that is not there', async () => {
    const env = { STORE_URL: 's3://none?region=eu-central-1&endpoint=http://127.0.0.1:1' };
    expect(bad(await findStore(configOf(env)))).toEqual([
      expect.stringMatching(/^fail: STORE_URL cannot be used/),
    ]);
  });
});

describe('of what a process may use, the doctor', () => {
  const enough = { cores: 4, memory: 8e9, freeMemory: 4e9, openFiles: 65_536 };
  const at = (concurrency: string, limits = enough): Finding[] =>
    findLimits(configOf({ PREVIEW_WORKER_CONCURRENCY: concurrency }), limits);

  it('has nothing to say against enough', () => expect(bad(at('4'))).toEqual([]));

  it('finds more jobs at a time than cores, and than memory', () => {
    const findings = at('16');
    expect(bad(findings)).toEqual([
      expect.stringMatching(/^warn: 4 cores for 16 jobs at a time/),
      expect.stringMatching(/^warn: 8000\.00 MB of memory/),
    ]);
    expectAdvice(findings);
    expect(findings[0]?.advice).toContain('Set PREVIEW_WORKER_CONCURRENCY to 4');
  });

  it('finds that few files may be open', () => {
    expect(bad(at('1', { ...enough, openFiles: 1024 }))).toEqual(['warn: A process may open 1024 files.']);
    expect(bad(at('1', { ...enough, openFiles: 256 }))).toEqual(['fail: A process may open 256 files.']);
  });

  it('reads the limit of files that it was started with', async () => {
    const command = 'ulimit -n 256; exec "$0" "$1" doctor --json';
    const out = runShell(command, { DATA_DIR: dataDir, PORT: '0' });
    expect(out).toContain('may open 256 files');
  }, 60_000);
});

function runShell(command: string, env: Record<string, string>): string {
  try {
    return execFileSync('sh', ['-c', command, process.execPath, CLI], {
      env: { PATH: process.env.PATH, ...env },
      encoding: 'utf8',
    });
  } catch (error) {
    return String((error as { stdout?: string }).stdout);
  }
}
