import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from 'bullmq';
import { PreviewError } from '../../errors.ts';
import type { JobRecord } from '../../job/jobRecord.ts';
import { validatePreviewPayload } from '../../job/validatePreviewPayload.ts';
import { createReach, type QueueBackend } from '../../queue/queueBackend.ts';
import { deadQueueName, parseQueueId, type QueuedJob, queueId } from '../../queue/queuedJob.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';
import type { JobRef, PreviewWorkerClient, Sent } from '../previewWorkerClient.ts';
import { readHistory } from '../records/attemptHistory.ts';
import { packDetails } from '../records/jobDetails.ts';
import {
  type DeadLetter,
  type DeadLetterSummary,
  errorOfReason,
  type Failure,
  failedRecord,
  letterId,
  parseLetterId,
  type StoredLetter,
  summaryOf,
} from './deadLetter.ts';

/** What an operator does with the jobs that failed for good. */
export interface DeadLetters {
  /** The newest first, at most `limit` of them; `total` counts all of the project, or of all projects. */
  list(filter?: { projectId?: string | undefined; limit?: number }): Promise<{
    total: number;
    deadLetters: DeadLetterSummary[];
  }>;
  /** @throws PreviewError `dead_letter_not_found`, `ambiguous_job` */
  get(ref: JobRef): Promise<DeadLetter>;
  /**
   * Sends the job again, as if it were sent for the first time; its letter is gone when it is accepted. A job that its
   * worker is just ending is waited for.
   * @throws PreviewError as {@link PreviewWorkerClient.enqueue} and {@link get}, and `job_not_finished` where its worker does
   *   not get to its end, so that the queue first has to find it stalled; the letter then stays
   */
  replay(ref: JobRef): Promise<Sent>;
  /** Throws the letter away; that the job failed stays on record. @throws as {@link get} */
  discard(ref: JobRef): Promise<void>;
}

/** What the workers do with them. */
export interface DeadLetterOffice extends DeadLetters {
  /** Writes the letter, then the record. @returns the record that stands: a cancelled job leaves no letter */
  bury(job: Job<QueuedJob>, failure: Failure): Promise<JobRecord>;
  /** Buries a job that failed for good although nobody could say so: its worker was killed. */
  buryMissed(job: Job<QueuedJob>): Promise<void>;
  /**
   * Puts right what killed processes left half done. To be called at the start and every now and then.
   * @throws the first of what kept it from putting something right, when all the rest is done
   */
  reconcile(): Promise<void>;
  close(): Promise<void>;
}

const LISTED = 100;
/** The longest that a replay waits for a worker to end in the queue what it has buried. A worker that lives takes milliseconds. */
const ENDING_MS = 3000;
const ENDING_LOOK_MS = 25;

/**
 * The dead letters are a queue of their own that no worker reads and that nothing is removed from by age or number.
 *
 * A letter is written before the record. So a failed job without a record is one whose burial was cut off, and a
 * failed job with a record and without a letter is one whose letter was discarded.
 */
export function createDeadLetters(options: {
  backend: QueueBackend;
  queueName: string;
  store: ArtifactStore;
  client: PreviewWorkerClient;
}): DeadLetterOffice {
  const { backend, queueName, store, client } = options;
  const queue = backend.queue<QueuedJob, string>(queueName);
  const dead = backend.queue<StoredLetter, void>(deadQueueName(queueName));
  const reach = createReach(backend);
  /** Letters that had neither record nor job when they were looked at last. */
  let orphans = new Set<string>();

  const letterIds = (): Promise<string[]> => reach(() => dead.getRanges(['waiting'], 0, -1));
  const remove = (id: string): Promise<unknown> => reach(() => dead.remove(id));

  const find = async ({ projectId, jobId }: JobRef): Promise<Job<StoredLetter>> => {
    const ids = (await letterIds()).filter((id) => {
      const of = parseLetterId(id);
      return of?.jobId === jobId && (projectId === undefined || of.projectId === projectId);
    });
    if (new Set(ids.map((id) => parseLetterId(id)?.projectId)).size > 1)
      throw new PreviewError('ambiguous_job');
    const letters = await Promise.all(ids.map((id) => reach(() => dead.getJob(id))));
    const [newest] = letters.filter((letter) => letter !== undefined).sort(byDeath);
    if (!newest)
      throw new PreviewError('dead_letter_not_found', `There is no dead letter of job "${jobId}".`);
    return newest;
  };

  const bury = async (job: Job<QueuedJob>, failure: Failure): Promise<JobRecord> => {
    const id = letterId(job);
    const earlier = await reach(() => dead.getJob(id));
    let record = earlier?.data.record;
    let packed: Buffer | undefined;
    if (!record) {
      const { logs } = await reach(() => queue.getJobLogs(String(job.id)));
      const { object, details } = packDetails({ job: job.data.job, rows: logs });
      packed = object;
      // They are there before the letter that names them.
      await store.putObject(object);
      record = { ...failedRecord(job, failure), details };
      const attempts = readHistory(logs);
      const place = failure.place ?? attempts.at(-1)?.place;
      const letter = { record, attempts, job: job.data.job, ...(place ? { place } : {}) };
      await reach(() => dead.add('dead-letter', letter, { jobId: id }));
    }
    const standing = await store.putRecord(record, packed);
    if (standing.status !== 'failed') await remove(id);
    return standing;
  };

  const buryMissed = async (job: Job<QueuedJob>): Promise<void> => {
    const ids = parseQueueId(String(job.id));
    if (!ids || (await store.getRecord(ids.projectId, ids.jobId))) return;
    const startedAt = job.processedOn && new Date(job.processedOn).toISOString();
    await bury(job, {
      error: errorOfReason(job.failedReason),
      attemptsMade: job.attemptsMade,
      ...(startedAt ? { startedAt } : {}),
    });
  };

  /** A letter belongs to the record of its own death; the rest was left by a burial or a replay that was cut off. */
  const reconcileLetter = async (id: string, lonely: Set<string>): Promise<void> => {
    const ids = parseLetterId(id);
    if (!ids) return;
    const record = await store.getRecord(ids.projectId, ids.jobId);
    if (record && record.status !== 'failed') await remove(id);
    if (record || (await reach(() => queue.getJob(queueId(ids))))) return;
    // Between two steps of a replay that is under way it looks the same, so it is looked at twice.
    if (!orphans.has(id)) {
      lonely.add(id);
      return;
    }
    const letter = await reach(() => dead.getJob(id));
    if (letter) await store.putRecord(letter.data.record);
  };

  /** Whether the job is dead on record while its worker has not ended it in the queue yet. */
  const isBeingEnded = async (record: JobRecord): Promise<boolean> => {
    const job = await reach(() => queue.getJob(queueId(record)));
    if (!job || (await reach(() => job.getState())) !== 'active') return false;
    const standing = await store.getRecord(record.projectId, record.jobId);
    return standing?.finishedAt === record.finishedAt;
  };

  const ended = async (record: JobRecord): Promise<void> => {
    const until = performance.now() + ENDING_MS;
    while (await isBeingEnded(record)) {
      if (performance.now() > until) {
        throw new PreviewError('job_not_finished', 'The job is just being ended; try again in a minute.');
      }
      await sleep(ENDING_LOOK_MS);
    }
  };

  return {
    bury,
    buryMissed,

    async list({ projectId, limit = LISTED } = {}) {
      const ids = (await letterIds()).filter(
        (id) => projectId === undefined || parseLetterId(id)?.projectId === projectId,
      );
      const letters = await Promise.all(ids.slice(0, limit).map((id) => reach(() => dead.getJob(id))));
      const present = letters.filter((letter) => letter !== undefined).sort(byDeath);
      return { total: ids.length, deadLetters: present.map(({ data }) => summaryOf(data)) };
    },

    async get(ref) {
      const { data } = await find(ref);
      return { ...summaryOf(data), attempts: data.attempts, job: data.job };
    },

    async replay(ref) {
      const letter = await find(ref);
      const { record, job } = letter.data;
      const checked = validatePreviewPayload(job);
      if (!checked.ok) throw new PreviewError('invalid_payload', undefined, { errors: checked.errors });
      await ended(record);
      const standing = await store.getRecord(record.projectId, record.jobId);
      if (standing?.finishedAt === record.finishedAt) {
        const failed = await reach(() => queue.getJob(queueId(record)));
        if (failed) await reach(() => failed.remove());
        await store.removeRecord(standing);
      }
      try {
        const sent = await client.enqueue(checked.job);
        await remove(String(letter.id));
        return sent;
      } catch (error) {
        if (standing) await store.putRecord(standing);
        throw error;
      }
    },

    async discard(ref) {
      await remove(String((await find(ref)).id));
    },

    async reconcile() {
      // What is wrong with one job must not keep the others from being put right.
      const problems: unknown[] = [];
      const each = async (ids: readonly string[], putRight: (id: string) => Promise<void>): Promise<void> => {
        for (const id of ids) await putRight(id).catch((error: unknown) => problems.push(error));
      };
      await each(await reach(() => queue.getRanges(['failed'], 0, -1)), async (id) => {
        const job = await reach(() => queue.getJob(id));
        if (job) await buryMissed(job);
      });
      const lonely = new Set<string>();
      await each(await letterIds(), (id) => reconcileLetter(id, lonely));
      orphans = lonely;
      if (problems.length > 0) throw problems[0];
    },

    async close() {
      await Promise.all([queue, dead].map((each) => each.close().catch(() => undefined)));
    },
  };
}

/** The newest first. */
function byDeath(a: Job<StoredLetter>, b: Job<StoredLetter>): number {
  return b.data.record.finishedAt.localeCompare(a.data.record.finishedAt);
}
