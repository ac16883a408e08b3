import { settlesWithin } from '../../concurrency/settlesWithin.ts';
import type { JobEvents } from '../../queue/events/jobEvents.ts';
import { queueId } from '../../queue/queuedJob.ts';

/** Tells when a job may have changed. */
export interface JobWatch {
  /** Returns when something has happened to the job since the last call, or after the given time, or at the signal. */
  changed(atMostMs: number): Promise<void>;
  stop(): void;
}

/** The caller must stop the watch. */
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
