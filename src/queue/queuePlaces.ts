import type { Queue } from 'bullmq';
import { PreviewError } from '../errors.ts';
import { createLocalReservations } from './localReservations.ts';
import { createPace, retryAfterSeconds } from './pace.ts';
import { createReach, type QueueBackend } from './queueBackend.ts';
import { WAITING } from './queueMetrics.ts';
import { createRedisReservations } from './redisReservations.ts';

export interface QueueLimits {
  /** Jobs that may wait. */
  queueMax: number;
  /** Of them, jobs of one project. */
  projectQueueMax: number;
}

/** A job that asks for a place. */
interface Asking {
  projectId: string;
  jobId: string;
}

/** What has no place left. */
export type Full = 'projectFull' | 'queueFull';

/** A place of a job that is on its way into the queue. */
export interface Place {
  /** To be called when the job is in the queue, or is not. */
  give(): void;
}

export interface Reservations {
  take(job: Asking): Promise<Place | Full>;
}

/** The places in the queue, of all and of each project: one project leaves room for the others. */
export interface QueuePlaces {
  /** Takes a place for a job. @throws PreviewError `queue_full`, `queue_unavailable` */
  take(job: Asking): Promise<Place>;
  /** Looks how fast the queue is worked off, so that who is refused can be told when to come again. */
  observe(): Promise<void>;
}

export function createQueuePlaces(queue: Queue, backend: QueueBackend, limits: QueueLimits): QueuePlaces {
  const { queueMax, projectQueueMax } = limits;
  const reach = createReach(backend);
  const pace = createPace(queue);
  const observe = (): Promise<void> => reach(() => pace.look());
  const reservations = backend.redis
    ? createRedisReservations(queue, backend.redis.producer, limits)
    : createLocalReservations(queue, limits);

  /** Jobs of one project wait among those of all, so how long it takes goes by all that wait or are on their way. */
  const queueFull = async (message: string, atLeast: number): Promise<PreviewError> => {
    const [waiting] = await Promise.all([reach(() => queue.getJobCountByTypes(...WAITING)), observe()]);
    const seconds = retryAfterSeconds(Math.max(waiting, atLeast), pace.perSecond());
    return new PreviewError('queue_full', message, { retryAfterSeconds: seconds });
  };

  return {
    async take(job) {
      const answer = await reach(() => reservations.take(job));
      if (answer === 'projectFull') {
        const message = `${projectQueueMax} jobs of project "${job.projectId}" are waiting; try again later.`;
        throw await queueFull(message, projectQueueMax);
      }
      if (answer === 'queueFull')
        throw await queueFull(`${queueMax} jobs are waiting; try again later.`, queueMax);
      return answer;
    },
    observe,
  };
}
