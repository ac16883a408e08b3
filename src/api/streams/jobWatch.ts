import { settlesWithin } from '../../concurrency/settlesWithin.ts';
import type { JobEvents } from '../../queue/events/jobEvents.ts';
import { queueId } from '../../queue/queuedJob.ts';

/** Says when it is worth looking at a job again. */
export interface JobWatch {
  /** Returns when something happened to the job since the last call, at the latest after so long, or at the signal. */
  changed(atMostMs: number): Promise<void>;
  stop(): void;
}

/** To be stopped by whoever begins it. */
export function watchJob(
  events: JobEvents,
  job: { projectId: string; jobId: string },
  signal?: AbortSignal,
): JobWatch {
  const id = queueId(job);
  let isChanged = false;
  let wake = (): void => undefined;
  const stopListening = events.listen(({ queueId: changed }) => {
    if (changed !== id) return;
    isChanged = true;
    wake();
  });
  const onAbort = (): void => wake();
  signal?.addEventListener('abort', onAbort);
  return {
    async changed(atMostMs) {
      if (!isChanged && !signal?.aborted)
        await settlesWithin(new Promise<void>((resolve) => (wake = resolve)), atMostMs);
      isChanged = false;
    },
    stop() {
      stopListening();
      signal?.removeEventListener('abort', onAbort);
    },
  };
}
