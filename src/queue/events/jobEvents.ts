import { EventEmitter } from 'node:events';
import type { JobRecord } from '../../job/jobRecord.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';
import type { QueueBackend } from '../queueBackend.ts';
import { queueId } from '../queuedJob.ts';

/** Something happened to a job: it was sent or taken, made progress, ended or was removed. */
export interface JobEvent {
  /** The id that the queue has the job under. */
  queueId: string;
  /** How the job ended, where this process wrote that down a moment ago. */
  record?: JobRecord;
}

/**
 * The one place to hear what happens to jobs. The queue tells of jobs in every process, and the store of the ends that this
 * process writes. Events may be missed: in the first moments of listening, and while the queue is out of reach. Who must not
 * miss anything also looks now and then.
 */
export interface JobEvents {
  /** Hears of all jobs. The queue is watched only while somebody listens. @returns to be called to stop listening */
  listen(listener: (event: JobEvent) => void): () => void;
  /** Hears how one job ends, where this process writes that down. The queue is not watched for it. */
  listenForEnd(job: { projectId: string; jobId: string }, listener: (record: JobRecord) => void): () => void;
  /** The same store, which tells here of the records that it writes. */
  telling(store: ArtifactStore): ArtifactStore;
  close(): Promise<void>;
}

const LINGER_MS = 15_000;

/** @param lingerMs how long the queue is still watched without a listener: a page that is loaded again finds it warm */
export function createJobEvents(
  backend: Pick<QueueBackend, 'watch'>,
  queueName: string,
  lingerMs = LINGER_MS,
): JobEvents {
  const listeners = new Set<(event: JobEvent) => void>();
  const ends = new EventEmitter().setMaxListeners(0);
  let watching: { close(): Promise<void> } | undefined;
  let lingering: NodeJS.Timeout | undefined;

  const tell = (event: JobEvent): void => {
    for (const listener of listeners) listener(event);
  };
  const tellEnd = (record: JobRecord): JobRecord => {
    const id = queueId(record);
    ends.emit(id, record);
    tell({ queueId: id, record });
    return record;
  };
  const stopWatching = async (): Promise<void> => {
    clearTimeout(lingering);
    const stopped = watching;
    watching = undefined;
    await stopped?.close();
  };
  return {
    listen(listener) {
      clearTimeout(lingering);
      watching ??= backend.watch(queueName, (id) => tell({ queueId: id }));
      listeners.add(listener);
      return () => {
        if (!listeners.delete(listener) || listeners.size > 0) return;
        clearTimeout(lingering);
        lingering = setTimeout(() => void stopWatching(), lingerMs).unref();
      };
    },
    listenForEnd(job, listener) {
      const id = queueId(job);
      ends.on(id, listener);
      return () => ends.off(id, listener);
    },
    telling: (store) => ({
      ...store,
      putRecord: (record, details) => store.putRecord(record, details).then(tellEnd),
    }),
    async close() {
      listeners.clear();
      await stopWatching();
    },
  };
}
