import { type Redis, ReplyError } from 'ioredis';
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
import { createBatch } from './batch.ts';
import { createReach, type QueueBackend } from './queueBackend.ts';

/** What the ends of dry runs may take of Redis: about twenty thousand of them. The oldest go where there are more. */
const MOST_BYTES = 64 << 20;
/** After so long they go in any case. */
const KEPT_MS = 86_400_000;
/** So many go at most when one comes, so that Redis is not kept from other work. */
const FORGOTTEN_AT_ONCE = 100;
/** Names that are read at a time for a list. */
const LISTED = 500;

/** The field that counts the bytes; it is nobody's id. */
const BYTES = '~';

/** An entry is a place in the list, a project, a space and two letters; the field of its end is job and project. */
const FORGET = `
  local function fieldOf(entry) return string.match(entry, '^%d+~(.*) ') end
  local function forget(entry)
    local field = fieldOf(entry)
    local bytes = redis.call('HINCRBY', KEYS[1], '${BYTES}', -redis.call('HSTRLEN', KEYS[1], field))
    redis.call('HDEL', KEYS[1], field)
    redis.call('ZREM', KEYS[2], entry)
    redis.call('ZREM', KEYS[3], field)
    return bytes
  end
`;

/** Keeps an end unless there is one of that job, and answers the one that stands; nothing where it is the new one. */
const KEEP = `${FORGET}
  local entry, value, firstTooOld, mostBytes, keepSeconds = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
  local field = fieldOf(entry)
  if redis.call('HSETNX', KEYS[1], field, value) == 0 then return redis.call('HGET', KEYS[1], field) end
  redis.call('ZADD', KEYS[2], 0, entry)
  redis.call('ZADD', KEYS[3], 0, field)
  local bytes = redis.call('HINCRBY', KEYS[1], '${BYTES}', #value)
  for _ = 1, ${FORGOTTEN_AT_ONCE} do
    local oldest = redis.call('ZRANGE', KEYS[2], -1, -1)[1]
    if oldest == entry or (bytes <= mostBytes and oldest < firstTooOld) then break end
    bytes = forget(oldest)
  end
  if redis.call('TTL', KEYS[1]) < keepSeconds / 2 then
    for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, keepSeconds) end
  end
  return false
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
  const [records, entries, fields] = ['records', 'entries', 'fields'].map(
    (name) => `${queueName}:dry-runs:${name}`,
  ) as [string, string, string];
  const keys = [records, entries, fields];
  const reach = createReach(backend);
  // A script is sent with its text: by its digest it may have to be sent again, and would come behind what was to follow it.
  const run = (connection: Redis, script: string, ...args: (string | number)[]): Promise<unknown> =>
    reach(() => connection.eval(script, keys.length, ...keys, ...args));
  const keep = async (connection: Redis, record: JobRecord, details?: Uint8Array): Promise<JobRecord> => {
    const firstTooOld = orderOf({ createdAt: new Date(Date.now() - KEPT_MS).toISOString(), jobId: '' });
    const value = `${JSON.stringify(record)}\n${details ? Buffer.from(details).toString() : ''}`;
    // Where no other one comes, all of them go one to two days after the last.
    const limits = [firstTooOld, MOST_BYTES, (2 * KEPT_MS) / 1000];
    try {
      const standing = await run(connection, KEEP, keptEntry(record), value, ...limits);
      return parseEnd(standing)?.record ?? record;
    } catch (error) {
      // Redis takes nothing more in: out of memory, or it cannot save.
      if (!(error instanceof PreviewError) || !(error.cause instanceof ReplyError)) throw error;
      return store.putRecord(record, details);
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
      const page = await reach(() => producer.zrangebylex(entries, from, '+', 'LIMIT', 0, LISTED));
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
        reach(() => producer.zrangebylex(fields, `[${jobId}~`, `(${jobId}\x7f`)),
      ]);
      const ends = await Promise.all(found.map((field) => reach(() => read(field))));
      return [
        ...stored,
        ...ends.map((end) => parseEnd(end)?.record).filter((record) => record !== undefined),
      ];
    },
    putRecord: (record, details) =>
      isKeptHere(record) ? keep(producer, record, details) : store.putRecord(record, details),
    putAhead: (record, details) =>
      isKeptHere(record) && backend.isConnected() ? keep(consumer(), record, details) : undefined,
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
