import type { Queue } from 'bullmq';
import { PreviewError } from '../errors.ts';
import { createAdmission, createProjectAdmissions } from './admission.ts';
import { createReach, type QueueBackend } from './queueBackend.ts';
import { parseQueueId } from './queuedJob.ts';
import { completedPerSecond, retryAfterSeconds, WAITING } from './queueMetrics.ts';

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
}

export function createQueuePlaces(
  queue: Queue,
  backend: QueueBackend,
  { queueMax, projectQueueMax }: QueueLimits,
): QueuePlaces {
  const reach = createReach(backend);
  const ofAll = createAdmission(queueMax, () => reach(() => queue.getJobCountByTypes(...WAITING)));
  const admissionOf = createProjectAdmissions(projectQueueMax, async (projectId) => {
    const ids = await reach(() => queue.getRanges([...WAITING], 0, -1));
    return ids.filter((id) => parseQueueId(id)?.projectId === projectId).length;
  });

  const queueFull = async (message: string, waiting: number): Promise<PreviewError> => {
    const perSecond = await reach(() => completedPerSecond(queue));
    return new PreviewError('queue_full', message, {
      retryAfterSeconds: retryAfterSeconds(waiting, perSecond),
    });
  };

  return {
    async take(projectId) {
      const ofProject = admissionOf(projectId);
      if (!(await ofProject.admit())) {
        const message = `${projectQueueMax} jobs of project "${projectId}" are waiting; try again later.`;
        throw await queueFull(message, projectQueueMax);
      }
      try {
        if (!(await ofAll.admit()))
          throw await queueFull(`${queueMax} jobs are waiting; try again later.`, queueMax);
      } catch (error) {
        ofProject.settle();
        throw error;
      }
      return () => {
        ofAll.settle();
        ofProject.settle();
      };
    },
  };
}
