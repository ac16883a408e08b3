import type { Queue } from 'bullmq';
import { PreviewError } from '../errors.ts';
import { createAdmission, createProjectAdmissions } from './admission.ts';
import { createPace, retryAfterSeconds } from './pace.ts';
import { createReach, type QueueBackend } from './queueBackend.ts';
import { parseQueueId } from './queuedJob.ts';
import { WAITING } from './queueMetrics.ts';

export interface QueueLimits {
  /** Jobs that may wait. */
  queueMax: number;
  /** Of them, jobs of one project. */
  projectQueueMax: number;
}

/** The places in the queue, of all and of each project: one project leaves room for the others. */
export interface QueuePlaces {
  /**
   * Takes a place for a job of the project.
   * @returns to be called when the job is in the queue, or is not
   * @throws PreviewError `queue_full`, `queue_unavailable`
   */
  take(projectId: string): Promise<() => void>;
  /** Looks how fast the queue is worked off, so that who is refused can be told when to come again. */
  observe(): Promise<void>;
}

export function createQueuePlaces(
  queue: Queue,
  backend: QueueBackend,
  { queueMax, projectQueueMax }: QueueLimits,
): QueuePlaces {
  const reach = createReach(backend);
  const pace = createPace(queue);
  const observe = (): Promise<void> => reach(() => pace.look());
  const countAll = (): Promise<number> => reach(() => queue.getJobCountByTypes(...WAITING));
  const ofAll = createAdmission(queueMax, countAll);
  const admissionOf = createProjectAdmissions(projectQueueMax, async (projectId) => {
    const ids = await reach(() => queue.getRanges([...WAITING], 0, -1));
    return ids.filter((id) => parseQueueId(id)?.projectId === projectId).length;
  });
  // A project that may fill the queue need not be counted: to count it reads the id of every job that waits.
  const isCounted = projectQueueMax < queueMax;

  /** Jobs of one project wait among those of all, so how long it takes goes by all that wait. */
  const queueFull = async (message: string): Promise<PreviewError> => {
    const [waiting] = await Promise.all([countAll(), observe()]);
    const seconds = retryAfterSeconds(waiting, pace.perSecond());
    return new PreviewError('queue_full', message, { retryAfterSeconds: seconds });
  };

  return {
    async take(projectId) {
      const ofProject = isCounted ? admissionOf(projectId) : undefined;
      if (ofProject && !(await ofProject.admit())) {
        throw await queueFull(
          `${projectQueueMax} jobs of project "${projectId}" are waiting; try again later.`,
        );
      }
      try {
        if (!(await ofAll.admit())) throw await queueFull(`${queueMax} jobs are waiting; try again later.`);
      } catch (error) {
        ofProject?.settle();
        throw error;
      }
      return () => {
        ofAll.settle();
        ofProject?.settle();
      };
    },
    observe,
  };
}
