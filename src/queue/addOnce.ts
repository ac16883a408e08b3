import type { JobsOptions, Queue } from 'bullmq';
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

export function createAddOnce(queue: Queue<QueuedJob>, { redis }: Pick<QueueBackend, 'redis'>): AddOnce {
  const add = (data: QueuedJob, options: JobsOptions): Promise<unknown> => queue.add('render', data, options);

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
  return {
    find,
    async add(data, options) {
      const adding = add(data, options);
      // By then the command is on its way, and Redis, which goes by their order, answers both in one go: with
      // `appendfsync always` it writes to the disk before each round of answers.
      const looking = new Promise((wait) => setImmediate(wait)).then(() => find(options.jobId));
      const [found] = await Promise.all([looking, adding]);
      // The first time Redis has to be sent the script, which is a command behind the look.
      return found ?? find(options.jobId);
    },
  };
}
