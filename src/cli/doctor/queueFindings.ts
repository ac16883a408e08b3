import type { Redis } from 'ioredis';
import type { Config } from '../../config.ts';
import { PreviewError } from '../../errors.ts';
import { createLogger } from '../../logger.ts';
import { createReach, openQueueBackend } from '../../queue/queueBackend.ts';
import { type Finding, findingsOf, reasonOf } from './finding.ts';

const { ok, warn, fail } = findingsOf('queue');

/** The oldest Redis that BullMQ is tested with. */
const OLDEST_REDIS = [6, 2];
const NEARLY_FULL = 0.8;
/** Seconds. Signed URLs, delays of retries and ages of jobs are reckoned on the clocks of several machines. */
const [CLOCK_WARN, CLOCK_FAIL] = [1, 5];

/** Opens the queue as the service does, and checks its kind and settings. */
export async function findQueue(config: Config): Promise<Finding[]> {
  const { redisUrl: url, dataDir } = config;
  try {
    const backend = await openQueueBackend({ url, dataDir, logger: createLogger('silent') });
    try {
      const { redis } = backend;
      // Ask before writing: if it accepts no writes, its own answers may say why.
      const ofRedis = redis ? await createReach(backend)(() => findRedis(redis)) : [];
      const milliseconds = await backend.ping().catch((error: unknown) => {
        if (ofRedis.every(({ status }) => status !== 'fail')) throw error;
      });
      if (milliseconds === undefined) return ofRedis;
      const kind = { redis: 'Redis', postgres: 'PostgreSQL', embedded: 'The embedded queue' }[backend.kind];
      const answers = ok(`${kind} answers in ${milliseconds} ms.`);
      if (redis) return [answers, ...ofRedis];
      if (backend.kind === 'postgres') return [answers];
      return [
        answers,
        ok('Without REDIS_URL, `serve` uses this queue; `api` and `worker` use redis://127.0.0.1:6379.'),
      ];
    } finally {
      await backend.close();
    }
  } catch (error) {
    if (!(error instanceof PreviewError)) throw error;
    // The service itself holds it, on this folder.
    if (error.code === 'embedded_queue_locked') return [ok(`The embedded queue is in use. ${error.message}`)];
    if (!url)
      return [
        fail(
          `The embedded queue cannot be opened: ${reasonOf(error)}.`,
          'Make sure that DATA_DIR is a folder on a disk with room, and that this user may write there.',
        ),
      ];
    return [
      fail(
        `The queue does not answer: ${reasonOf(error)}.`,
        'Make sure that it runs, that this machine can reach it, and that REDIS_URL has the right host, port and password.',
      ),
    ];
  }
}

async function findRedis(redis: Redis): Promise<Finding[]> {
  const info = new Map(
    [...(await redis.info()).matchAll(/^(\w+):(.*?)\r?$/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );
  const [seconds, microseconds] = await timed(redis);
  return [
    ...findVersion(info.get('redis_version') ?? ''),
    ...findMemory(info),
    ...(await findPersistence(redis, info)),
    ...findRole(info),
    findClock(seconds + microseconds / 1e6),
  ];
}

/** Compares Redis' clock with ours at the middle of the call. @returns seconds and microseconds by which it is ahead */
async function timed(redis: Redis): Promise<[seconds: number, microseconds: number]> {
  const before = Date.now();
  const [seconds, microseconds] = (await redis.time()).map(Number);
  const ours = (before + Date.now()) / 2000;
  return [Number(seconds) - ours, Number(microseconds)];
}

function findVersion(version: string): Finding[] {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_REDIS;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor))
    return [ok(`Its version is ${version}.`)];
  return [fail(`Its version is ${version}.`, `Use Redis ${OLDEST_REDIS.join('.')} or newer.`)];
}

function findMemory(info: ReadonlyMap<string, string>): Finding[] {
  const policy = info.get('maxmemory_policy') ?? 'unknown';
  const [used, limit] = [Number(info.get('used_memory')), Number(info.get('maxmemory'))];
  const findings =
    policy === 'noeviction'
      ? [ok('It never evicts jobs (maxmemory-policy noeviction).')]
      : [
          fail(
            `Its maxmemory-policy is ${policy}: when memory runs short, it deletes jobs.`,
            'Run redis-cli CONFIG SET maxmemory-policy noeviction, and set the same in redis.conf.',
          ),
        ];
  if (limit > 0 && used / limit > NEARLY_FULL) {
    const share = Math.round((100 * used) / limit);
    findings.push(
      warn(
        `Its memory is ${share} % full; at 100 % nothing is accepted.`,
        'Raise maxmemory, or start more workers.',
      ),
    );
  }
  return findings;
}

async function findPersistence(redis: Redis, info: ReadonlyMap<string, string>): Promise<Finding[]> {
  if (info.get('aof_enabled') !== '1') {
    return [
      fail(
        'It has no append-only file: when it stops, accepted jobs are lost.',
        'Run redis-cli CONFIG SET appendonly yes, and set the same in redis.conf.',
      ),
    ];
  }
  const failed = ['aof_last_write_status', 'rdb_last_bgsave_status'].filter(
    (name) => info.get(name) === 'err',
  );
  if (failed.length > 0) {
    return [
      fail(
        `It could not write to its disk (${failed.join(', ')}) and refuses writes.`,
        'Make room on the disk of Redis; see its log.',
      ),
    ];
  }
  // Managed servers often forbid CONFIG.
  const answer = await redis.config('GET', 'appendfsync').catch(() => undefined);
  const fsync = Array.isArray(answer) ? String(answer[1]) : undefined;
  if (fsync === 'always' || fsync === undefined) return [ok('It keeps an append-only file.')];
  return [
    warn(
      `It keeps an append-only file and syncs it ${fsync === 'no' ? 'only when the kernel decides' : 'each second'}: a power cut loses the last accepted jobs.`,
      'If that matters, run redis-cli CONFIG SET appendfsync always, and set the same in redis.conf.',
    ),
  ];
}

function findRole(info: ReadonlyMap<string, string>): Finding[] {
  const role = info.get('role') ?? 'master';
  if (info.get('cluster_enabled') === '1')
    return [
      fail(
        'It is a Redis Cluster, which is not supported.',
        'Use one primary with replicas; see docs/scaling.md.',
      ),
    ];
  if (role === 'master') return [];
  return [fail('It is a replica and accepts no writes.', 'Set REDIS_URL to the primary.')];
}

function findClock(ahead: number): Finding {
  const time = findingsOf('time');
  const off = Math.abs(ahead);
  const message = `The clock of Redis is ${off.toFixed(2)} s ${ahead < 0 ? 'behind' : 'ahead of'} ours.`;
  if (off < CLOCK_WARN) return time.ok(message);
  const advice =
    'Synchronise the clocks of all machines with NTP (timedatectl, chronyc tracking): ages, retries and signed URLs depend on them.';
  return off < CLOCK_FAIL ? time.warn(message, advice) : time.fail(message, advice);
}
