import { type Redis, ReplyError } from 'ioredis';
import { createBatch } from '../concurrency/batch.ts';
import { PreviewError } from '../errors.ts';
import type { JobRecord } from '../job/jobRecord.ts';
import type { ArtifactStore, EndedJob } from '../storage/artifactStore.ts';
import {
  comparePlaces,
  entryName,
  type ListPlace,
  mergeLists,
  orderOf,
  parseEntry,
} from '../storage/endedIndex.ts';
import { digestOf } from '../storage/storeRules.ts';
import { createReach, type QueueBackend } from './queueBackend.ts';

/** What the ends of dry runs may take of Redis: about twenty thousand of them. The oldest go where there are more. */
const MOST_BYTES = 64 << 20;
/** After so long they go in any case. */
const KEPT_MS = 86_400_000;
/** How often it is looked for those that are too old, in each process that keeps some. */
const SWEEP_MS = 60_000;
/** So many go at a time, so that Redis is not kept from other work. */
const SWEPT_AT_ONCE = 200;
/** Names that are read at a time for a list. */
const LISTED = 500;

/** The field that counts the bytes; it is nobody's id. */
const BYTES = '~';

/*
 * A hash has the ends, each in the field of its job and project. A sorted set has two kinds of members: entries, which are a
 * place in the list, a project, a space and two letters, and begin with a digit; and behind all of them the fields once more,
 * each after a colon, in the order of the ids.
 */
const FIELDS = ':';

/** Where no other one comes, all of them go one to two days after the last. */
const EXPIRE = `
  local function expire()
    for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ${(2 * KEPT_MS) / 1000}) end
  end
`;

/** Keeps an end unless there is one of that job. Answers the one that stands, or how many bytes there are with the new one. */
const KEEP = `${EXPIRE}
  local field, value, entry = ARGV[1], ARGV[2], ARGV[3]
  if redis.call('HSETNX', KEYS[1], field, value) == 0 then return redis.call('HGET', KEYS[1], field) end
  redis.call('ZADD', KEYS[2], 0, entry, 0, '${FIELDS}' .. field)
  local bytes = redis.call('HINCRBY', KEYS[1], '${BYTES}', #value)
  if bytes == #value then expire() end
  return bytes
`;

const FORGET = `
  local function fieldOf(entry) return string.match(entry, '^%d+~(.*) ') end
  local function forget(entry)
    local field = fieldOf(entry)
    local bytes = redis.call('HINCRBY', KEYS[1], '${BYTES}', -redis.call('HSTRLEN', KEYS[1], field))
    redis.call('HDEL', KEYS[1], field)
    redis.call('ZREM', KEYS[2], entry, '${FIELDS}' .. field)
    return bytes
  end
`;

/** Forgets the oldest where they are too old, or too many; answers how many went. */
const SWEEP = `${EXPIRE}${FORGET}
  local firstTooOld, mostBytes = ARGV[1], tonumber(ARGV[2])
  expire()
  local bytes = tonumber(redis.call('HGET', KEYS[1], '${BYTES}'))
  for swept = 0, ${SWEPT_AT_ONCE - 1} do
    local oldest = redis.call('ZREVRANGEBYLEX', KEYS[2], '(${FIELDS}', '-', 'LIMIT', 0, 1)[1]
    if not oldest or (bytes <= mostBytes and oldest < firstTooOld) then return swept end
    bytes = forget(oldest)
  end
  return ${SWEPT_AT_ONCE}
`;

/** Removes the end where it is still this one. */
const REMOVE = `${FORGET}
  local standing = redis.call('HGET', KEYS[1], fieldOf(ARGV[1]))
  local record = standing and cjson.decode(string.match(standing, '^[^\\n]*'))
  if record and record.finishedAt == ARGV[2] then forget(ARGV[1]) end
`;

/**
 * The same store, with the ends of dry runs in Redis instead: for a day, as far as there is room. A dry run is a question
 * whose answer is wanted at once; to write the answer to the disk of the store, as what a render has made, took ten times
 * as long as to find it. It is as safe there as the job was while it waited. One that a webhook tells of stays in the store,
 * because it may be told for longer than a day. Where the queue is not on Redis, the store is as it was.
 */
export function withDryRunEnds(
  store: ArtifactStore,
  backend: QueueBackend,
  queueName: string,
): ArtifactStore {
  if (!backend.redis) return store;
  const { producer, consumer } = backend.redis;
  const [records, places] = [`${queueName}:dry-runs:records`, `${queueName}:dry-runs:places`];
  const reach = createReach(backend);
  // A script is sent with its text: by its digest it may have to be sent again, and would come behind what was to follow it.
  const run = (connection: Redis, script: string, ...args: (string | number)[]): Promise<unknown> =>
    reach(() => connection.eval(script, 2, records, places, ...args));

  let sweeping: Promise<void> | undefined;
  let sweptAt = Number.NEGATIVE_INFINITY;
  const sweep = async (): Promise<void> => {
    const firstTooOld = orderOf({ createdAt: new Date(Date.now() - KEPT_MS).toISOString(), jobId: '' });
    while ((await run(producer, SWEEP, firstTooOld, MOST_BYTES)) === SWEPT_AT_ONCE);
  };
  /** Makes room in the background; should it fail, the next one that is kept makes it. */
  const sweepWhereDue = (bytes: number): void => {
    if (sweeping || (bytes <= MOST_BYTES && performance.now() - sweptAt < SWEEP_MS)) return;
    sweptAt = performance.now();
    sweeping = sweep()
      .catch(() => undefined)
      .finally(() => {
        sweeping = undefined;
      });
  };

  /** @param onDisk writes it to the disk instead */
  const keep = async (
    connection: Redis,
    record: JobRecord,
    details: string,
    onDisk: () => Promise<JobRecord>,
  ): Promise<JobRecord> => {
    const value = `${JSON.stringify(record)}\n${details}`;
    try {
      const kept = await run(connection, KEEP, fieldOf(record), value, keptEntry(record));
      if (typeof kept !== 'number') return parseEnd(kept)?.record ?? record;
      sweepWhereDue(kept);
      return record;
    } catch (error) {
      // Redis takes nothing more in: out of memory, or it cannot save.
      if (!(error instanceof PreviewError) || !(error.cause instanceof ReplyError)) throw error;
      return onDisk();
    }
  };
  const read = createBatch((wanted: string[]) => producer.hmget(records, ...wanted));

  const find = async (projectId: string, jobId: string): Promise<KeptEnd | undefined> =>
    parseEnd(await reach(() => read(fieldOf({ projectId, jobId }))));

  const listOf = async function* (
    projectId: string | undefined,
    after: ListPlace | undefined,
  ): AsyncGenerator<EndedJob> {
    let from = after ? `[${after.order}` : '-';
    for (;;) {
      const page = await reach(() => producer.zrangebylex(places, from, `(${FIELDS}`, 'LIMIT', 0, LISTED));
      for (const text of page) {
        const entry = parseKeptEntry(text);
        const isWanted = entry && (projectId === undefined || entry.projectId === projectId);
        if (isWanted && (!after || comparePlaces(entry, after) > 0)) yield entry;
      }
      if (page.length < LISTED) return;
      from = `(${page.at(-1)}`;
    }
  };

  return {
    ...store,
    async getRecord(projectId, jobId) {
      return (await store.getRecord(projectId, jobId)) ?? (await find(projectId, jobId))?.record;
    },
    async findRecords(jobId) {
      const [stored, found] = await Promise.all([
        store.findRecords(jobId),
        reach(() => producer.zrangebylex(places, `[${FIELDS}${jobId}~`, `(${FIELDS}${jobId}\x7f`)),
      ]);
      const ends = await Promise.all(found.map((field) => reach(() => read(field.slice(FIELDS.length)))));
      return [
        ...stored,
        ...ends.map((end) => parseEnd(end)?.record).filter((record) => record !== undefined),
      ];
    },
    putRecord(record, details) {
      const put = (): Promise<JobRecord> => store.putRecord(record, details);
      return isKeptHere(record) ? keep(producer, record, textOf(details), put) : put();
    },
    putAhead(record, text) {
      if (!isKeptHere(record) || !backend.isConnected()) return undefined;
      const connection = consumer();
      // It leaves with the command that ends the job and follows at once: one write, and one sync in Redis.
      const { stream } = connection;
      stream?.cork();
      process.nextTick(() => stream?.uncork());
      return keep(connection, record, text, () => {
        const object = Buffer.from(text);
        const details = { sha256: digestOf(object), bytes: object.length };
        return store.putRecord({ ...record, details }, object);
      });
    },
    async removeRecord(record) {
      if (!isKeptHere(record)) return store.removeRecord(record);
      await run(producer, REMOVE, keptEntry(record), record.finishedAt);
    },
    async readDetails(record) {
      const end = isKeptHere(record) ? await find(record.projectId, record.jobId) : undefined;
      return end?.details ? Buffer.from(end.details) : store.readDetails(record);
    },
    listEnded: ({ projectId, after }) =>
      mergeLists([store.listEnded({ projectId, after }), listOf(projectId, after)]),
  };
}

const textOf = (bytes: Uint8Array = Buffer.alloc(0)): string => Buffer.from(bytes).toString();

/** A job has all its ends in one place, so that the first of them stands. */
const isKeptHere = ({ dryRun, webhook }: JobRecord): boolean => dryRun && !webhook;

const fieldOf = ({ projectId, jobId }: { projectId: string; jobId: string }): string =>
  `${jobId}~${projectId}`;

/** The place of a record in the list, so that entries in ascending order are jobs from the newest to the oldest. */
function keptEntry(record: JobRecord): string {
  const name = entryName(record);
  return `${name.slice(0, -2)}${record.projectId} ${name.slice(-2)}`;
}

function parseKeptEntry(text: string): EndedJob | undefined {
  const [, order = '', projectId = '', letters = ''] = /^(\d{13}~[^~]+~)([^ ]+) (..)$/.exec(text) ?? [];
  return parseEntry(projectId, order + letters);
}

interface KeptEnd {
  record: JobRecord;
  details: string;
}

/** A record, a line break, which is in no JSON, and its details. */
function parseEnd(value: unknown): KeptEnd | undefined {
  if (typeof value !== 'string') return undefined;
  const end = value.indexOf('\n');
  return { record: JSON.parse(value.slice(0, end)), details: value.slice(end + 1) };
}
