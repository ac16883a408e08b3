import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { queueId } from './queuedJob.ts';
import type { QueueLimits, Reservations } from './queuePlaces.ts';

/** A process that was killed with a place keeps it for so long. */
const FORGOTTEN_MS = 10_000;

/**
 * Counts and takes in one step, so that many who come to several processes at once do not get more places than there are.
 * A job that is in the queue and whose place was not given back yet has the same name in both, and counts once. A project
 * that may fill the queue need not be counted, so that nobody reads the id of every job that waits.
 */
const TAKE = `
  local reserved, prefix = KEYS[1], ARGV[1] .. '~'
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('ZREMRANGEBYSCORE', reserved, '-inf', now)
  local seen, all, own = { [ARGV[2]] = true }, 0, 0
  local function count(ids)
    for _, id in ipairs(ids) do
      if not seen[id] then
        seen[id] = true
        all = all + 1
        if string.sub(id, 1, #prefix) == prefix then own = own + 1 end
      end
    end
  end
  if tonumber(ARGV[3]) < tonumber(ARGV[4]) then
    count(redis.call('ZRANGE', reserved, 0, -1))
    count(redis.call('LRANGE', KEYS[2], 0, -1))
    count(redis.call('ZRANGE', KEYS[3], 0, -1))
    count(redis.call('ZRANGE', KEYS[4], 0, -1))
  else
    for _, id in ipairs(redis.call('ZRANGE', reserved, 0, -1)) do
      local queued = redis.call('ZSCORE', KEYS[3], id) or redis.call('ZSCORE', KEYS[4], id)
      if not queued then count({ id }) end
    end
    own = 0
    all = all + redis.call('LLEN', KEYS[2]) + redis.call('ZCARD', KEYS[3]) + redis.call('ZCARD', KEYS[4])
  end
  if own >= tonumber(ARGV[3]) then return 'projectFull' end
  if all >= tonumber(ARGV[4]) then return 'queueFull' end
  redis.call('ZADD', reserved, now + ARGV[5], ARGV[2])
  return 'taken'
`;

/** For all processes that share a Redis. */
export function createRedisReservations(
  queue: Queue,
  redis: Redis,
  { queueMax, projectQueueMax }: QueueLimits,
): Reservations {
  const reserved = queue.toKey('reserved');
  const keys = [reserved, ...['wait', 'prioritized', 'delayed'].map((state) => queue.toKey(state))];
  return {
    async take(job) {
      const limits = [projectQueueMax, queueMax, FORGOTTEN_MS];
      const answer = await redis.eval(TAKE, keys.length, ...keys, job.projectId, queueId(job), ...limits);
      return answer as Awaited<ReturnType<Reservations['take']>>;
    },
    async give(job) {
      await redis.zrem(reserved, queueId(job));
    },
  };
}
