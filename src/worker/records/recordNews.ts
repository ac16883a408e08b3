import { EventEmitter } from 'node:events';
import type { JobRecord } from '../../job/jobRecord.ts';
import { queueId } from '../../queue/queuedJob.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';

/** How jobs end, told within this process: what another process writes is found by looking. */
export interface RecordNews {
  /** The same store, whose records are told of when they are written. */
  telling(store: ArtifactStore): ArtifactStore;
  /** @returns to be called when it has heard enough */
  listen(job: { projectId: string; jobId: string }, listener: (record: JobRecord) => void): () => void;
}

export function createRecordNews(): RecordNews {
  const emitter = new EventEmitter();
  emitter.setMaxListeners(0);
  const tell = (standing: JobRecord): JobRecord => {
    emitter.emit(queueId(standing), standing);
    return standing;
  };
  return {
    telling: (store) => ({
      ...store,
      putRecord: (record, details) => store.putRecord(record, details).then(tell),
      ...(store.putAhead
        ? { putAhead: (record, details) => store.putAhead?.(record, details)?.then(tell) }
        : {}),
    }),
    listen(job, listener) {
      const id = queueId(job);
      emitter.on(id, listener);
      return () => emitter.off(id, listener);
    },
  };
}
