/** What other programs use: the client, the validator, and the types of the contract. */

export { catalogue, PreviewError } from './errors.ts';
export type { Artifact, JobRecord, PlanSummary, Progress, Warning } from './job/jobRecord.ts';
export type { PreviewJob } from './job/previewJob.types.ts';
export { validatePreviewPayload } from './job/validatePreviewPayload.ts';
export { createLogger } from './logger.ts';
export { openQueueBackend, type QueueBackend } from './queue/queueBackend.ts';
export type { ArtifactStore } from './storage/artifactStore.ts';
export { createFsStore } from './storage/folder/fsStore.ts';
export { connectPreviewWorker } from './worker/connectPreviewWorker.ts';
export {
  createPreviewWorkerClient,
  type JobRef,
  type PreviewWorkerClient,
  type QueueMetrics,
} from './worker/previewWorkerClient.ts';
export type { JobStatus } from './worker/records/jobStatus.ts';
