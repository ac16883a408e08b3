import type { JobsOptions, Queue } from 'bullmq';
import { createBatch } from '../concurrency/batch.ts';
import type { QueueBackend } from './queueBackend.ts';
import type { QueuedJob } from './queuedJob.ts';

/**
 * Adds a job unless there is one of its id: adding is atomic by id and changes nothing of a job that is there, so of
 * several senders one has added, and all find that one's job.
 */
export interface AddOnce {
  /** @returns the job of that id which is in the queue then; undefined where it has left it already */
  add(data: QueuedJob, options: JobsOptions & { jobId: string }): Promise<QueuedJob | undefined>;
  find(id: string): Promise<QueuedJob | undefined>;
}

export function createAddOnce(queue: Queue<QueuedJob>, backend: Pick<QueueBackend, 'redis'>): AddOnce {
  const add = (data: QueuedJob, options: JobsOptions): Promise<unknown> => queue.add('render', data, options);

  const { redis } = backend;
  if (!redis) {
    const find = async (id: string): Promise<QueuedJob | undefined> => (await queue.getJob(id))?.data;
    return {
      find,
      async add(data, options) {
        await add(data, options);
        return find(options.jobId);
      },
    };
  }
  const find = async (id: string): Promise<QueuedJob | undefined> => {
    const data = await redis.hget(queue.toKey(id), 'data');
    return data === null ? undefined : JSON.parse(data);
  };
  const look = createBatch(async (added: Added[]): Promise<(string | null)[]> => {
    const keys = added.map(({ id }) => queue.toKey(id));
    const submissions = added.map(({ data }) => data.submission);
    const asking = redis.eval(LOOK, keys.length, ...keys, ...submissions);
    held?.uncork();
    held = undefined;
    return (await asking) as (string | null)[];
  });
  /** What is sent within this turn leaves with one write: one for each job took as long as half of its checks. */
  let held: typeof redis.stream | undefined;
  const hold = (): void => {
    if (held) return;
    held = redis.stream;
    held?.cork();
  };
  return {
    find,
    async add(data, options) {
      const id = options.jobId;
      hold();
      const adding = add(data, options);
      // By the end of this turn the command is among those to be sent, and Redis, which goes by their order, answers all in
      // one go: with `appendfsync always` it writes to the disk before each round of answers.
      const [found] = await Promise.all([look({ id, data }), adding]);
      if (found === OWN) return data;
      // The first time Redis has to be sent the script, which is a command behind the look.
      return found === null ? find(id) : JSON.parse(found);
    },
  };
}

/** A job that was just added. */
interface Added {
  id: string;
  data: QueuedJob;
}

const OWN = 'own';
/** Which jobs are there under some ids: another sender's is answered with all that it is. */
const LOOK = `
  local found = {}
  for i, key in ipairs(KEYS) do
    local data = redis.call('HGET', key, 'data')
    found[i] = data and string.find(data, ARGV[i], 1, true) and '${OWN}' or data
  end
  return found
`;
