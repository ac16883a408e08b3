import { randomUUID } from 'node:crypto';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { queueId } from './queuedJob.ts';
import type { Full, QueueLimits, Reservations } from './queuePlaces.ts';

/** A process that was killed with a place keeps it for so long. */
const FORGOTTEN_MS = 10_000;
/** Places that are taken ahead and not used go back after so long. */
const SPARE_MS = 500;
/** At most so many are taken ahead at a time. */
const SPARE_MOST = 128;
/** More are fetched while so many are left, so that nobody has to wait for them. */
const SPARE_LOW = 32;

/**
 * Counts and takes in one step, so that many who come to several processes at once do not get more places than there are.
 * A job that is in the queue and whose place was not given back yet has the same name in both, and counts once. A project
 * that may fill the queue need not be counted, so that nobody reads the id of every job that waits.
 *
 * While less than half of the queue is full, a sixteenth of the room up to there is taken ahead, under names that are no
 * job's. Answers how many of the jobs got a place, how many places were taken ahead, and what was full for the others.
 */
const TAKE = `
  local reserved, prefix = KEYS[1], ARGV[1] .. '~'
  local projectMax, queueMax, keepMs, ahead = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5]
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('ZREMRANGEBYSCORE', reserved, '-inf', now)
  local isCounted = projectMax < queueMax
  local function isQueued(id) return redis.call('ZSCORE', KEYS[3], id) or redis.call('ZSCORE', KEYS[4], id) end
  local seen, all, own = {}, 0, 0
  local function count(ids)
    for _, id in ipairs(ids) do
      if not seen[id] then
        seen[id] = true
        all = all + 1
        if string.sub(id, 1, #prefix) == prefix then own = own + 1 end
      end
    end
  end
  if isCounted then
    count(redis.call('ZRANGE', reserved, 0, -1))
    count(redis.call('LRANGE', KEYS[2], 0, -1))
    count(redis.call('ZRANGE', KEYS[3], 0, -1))
    count(redis.call('ZRANGE', KEYS[4], 0, -1))
  else
    for _, id in ipairs(redis.call('ZRANGE', reserved, 0, -1)) do
      if not isQueued(id) then count({ id }) end
    end
    own = 0
    all = all + redis.call('LLEN', KEYS[2]) + redis.call('ZCARD', KEYS[3]) + redis.call('ZCARD', KEYS[4])
  end
  local taken, full = 0, ''
  for i = 6, #ARGV do
    if own >= projectMax then full = 'projectFull' elseif all >= queueMax then full = 'queueFull' end
    if full ~= '' then break end
    local isKnown = seen[ARGV[i]] or redis.call('ZSCORE', reserved, ARGV[i]) or isQueued(ARGV[i])
    redis.call('ZADD', reserved, now + keepMs, ARGV[i])
    taken = taken + 1
    if not isKnown then all, own = all + 1, own + 1 end
  end
  local room = queueMax / 2 - all
  if isCounted then room = math.min(room, projectMax / 2 - own) end
  local spare = math.max(0, math.min(${SPARE_MOST}, math.floor(room / 16)))
  for i = 1, spare do redis.call('ZADD', reserved, now + keepMs, prefix .. ahead .. i) end
  return { taken, spare, full }
`;

/** For all processes that share a Redis. */
export function createRedisReservations(queue: Queue, redis: Redis, limits: QueueLimits): Reservations {
  const reserved = queue.toKey('reserved');
  const keys = [reserved, ...['wait', 'prioritized', 'delayed'].map((state) => queue.toKey(state))];
  const { projectQueueMax, queueMax } = limits;
  const give = together((names: string[]) => {
    // Where this cannot be told, the places are forgotten after a while.
    redis.zrem(reserved, ...names).catch(() => undefined);
  });
  const places = new Map<string, ProjectPlaces>();

  const take = async (projectId: string, ids: readonly string[]): Promise<Taken> => {
    const ahead = `ahead~${randomUUID()}~`;
    const options = [projectId, projectQueueMax, queueMax, FORGOTTEN_MS, ahead];
    const answer = await redis.eval(TAKE, keys.length, ...keys, ...options, ...ids);
    const [count, spare, full] = answer as [number, number, Full];
    return {
      answers: ids.map((name, i) => (i < count ? { name } : full)),
      spare: Array.from({ length: spare }, (_, i) => `${projectId}~${ahead}${i + 1}`),
    };
  };

  return {
    async take(job) {
      const { projectId } = job;
      const own =
        places.get(projectId) ??
        createProjectPlaces({
          take: (ids) => take(projectId, ids),
          give,
          onIdle: () => places.delete(projectId),
        });
      places.set(projectId, own);
      const place = await own.take(queueId(job));
      return typeof place === 'string' ? place : { give: () => give(place.name) };
    },
  };
}

/** The name under which a place is held, or what is full. */
type Answer = { name: string } | Full;

/** What the queue said to some that asked, in their order, and the names of the places that were taken ahead. */
interface Taken {
  answers: Answer[];
  spare: string[];
}

interface ProjectPlaces {
  take(id: string): Promise<Answer>;
}

/**
 * The places of one project: those that were taken ahead go first, and all who ask while the queue is being asked have
 * the next round in common.
 */
function createProjectPlaces(parts: {
  take(ids: readonly string[]): Promise<Taken>;
  give(name: string): void;
  onIdle(): void;
}): ProjectPlaces {
  const spare: string[] = [];
  let giveBack: NodeJS.Timeout | undefined;
  let running: Promise<unknown> = Promise.resolve();
  let next: { ids: string[]; round: Promise<Answer[]> } | undefined;

  const endSpare = (): void => {
    for (const name of spare.splice(0)) parts.give(name);
    if (!next) parts.onIdle();
  };
  const ask = async (ids: readonly string[], before: Promise<unknown>): Promise<Answer[]> => {
    await before.catch(() => undefined);
    next = undefined;
    const ahead = spare.splice(0, ids.length).map((name) => ({ name }));
    const others = ids.slice(ahead.length);
    if (ids.length > 0 && others.length === 0) return ahead;
    const taken = await parts.take(others);
    spare.push(...taken.spare);
    clearTimeout(giveBack);
    giveBack = setTimeout(endSpare, SPARE_MS).unref();
    return [...ahead, ...taken.answers];
  };

  /** The next question, for all who come before it is asked. */
  const begin = (): { ids: string[]; round: Promise<Answer[]> } => {
    if (!next) {
      const ids: string[] = [];
      next = { ids, round: ask(ids, running) };
      running = next.round;
    }
    return next;
  };

  return {
    async take(id) {
      const ahead = spare.shift();
      if (ahead === undefined) {
        const { ids, round } = begin();
        const turn = ids.push(id) - 1;
        return (await round)[turn] ?? 'queueFull';
      }
      if (spare.length === SPARE_LOW) begin().round.catch(() => undefined);
      return { name: ahead };
    },
  };
}

/** Collects what is said within one turn of the event loop. */
function together(tell: (names: string[]) => void): (name: string) => void {
  let names: string[] = [];
  return (name) => {
    if (names.push(name) > 1) return;
    setImmediate(() => {
      tell(names);
      names = [];
    });
  };
}
