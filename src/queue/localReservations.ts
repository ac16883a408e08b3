import type { Queue } from 'bullmq';
import { createAdmission, createProjectAdmissions } from './admission.ts';
import { parseQueueId } from './queuedJob.ts';
import { WAITING } from './queueMetrics.ts';
import type { QueueLimits, Reservations } from './queuePlaces.ts';

/**
 * For one process: the embedded queue has no other. Where several share a PostgreSQL, each counts what the others have
 * put there, but those that come to several at the same moment may be let in by each.
 */
export function createLocalReservations(
  queue: Queue,
  { queueMax, projectQueueMax }: QueueLimits,
): Reservations {
  const ofAll = createAdmission(queueMax, () => queue.getJobCountByTypes(...WAITING));
  const admissionOf = createProjectAdmissions(projectQueueMax, async (projectId) => {
    const ids = await queue.getRanges([...WAITING], 0, -1);
    return ids.filter((id) => parseQueueId(id)?.projectId === projectId).length;
  });
  // A project that may fill the queue need not be counted: to count it reads the id of every job that waits.
  const isCounted = projectQueueMax < queueMax;
  return {
    async take({ projectId }) {
      const ofProject = isCounted ? admissionOf(projectId) : undefined;
      if (ofProject && !(await ofProject.admit())) return 'projectFull';
      try {
        if (await ofAll.admit()) {
          return {
            give() {
              ofAll.settle();
              ofProject?.settle();
            },
          };
        }
      } catch (error) {
        ofProject?.settle();
        throw error;
      }
      ofProject?.settle();
      return 'queueFull';
    },
  };
}
