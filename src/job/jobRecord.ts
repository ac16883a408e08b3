import type { ErrorCode } from '../errors.ts';

/** Something the author should know although the preview was rendered. `step` is the step's index, from 0. */
export interface Warning {
  code: string;
  message: string;
  step?: number;
}

/** How far a job is: `percent` from 0 to 100, never falling within an attempt. */
export interface Progress {
  percent: number;
  stage: Stage;
}

export type Stage = 'queued' | 'assets' | 'slides' | 'segments' | 'soundtrack' | 'packaging' | 'done';

export type Priority = 'low' | 'normal' | 'high';

/** A file that a render produced. Its bytes are the object `sha256` of the store. */
export interface Artifact {
  name: string;
  mediaType: string;
  bytes: number;
  sha256: string;
}

/** Milliseconds that each stage of the render took. */
export type StageTimings = Partial<Record<Exclude<Stage, 'queued' | 'done'>, number>>;

/** A step as it lies on the timeline; seconds from the start of the preview. */
export interface TimelineEntry {
  id: string;
  startSeconds: number;
  endSeconds: number;
}

/** The result of a dry run: what a render would do. */
export interface PlanSummary {
  durationSeconds: number;
  width: number;
  height: number;
  fps: number;
  timeline: TimelineEntry[];
  parts: { kind: string; key: string; reused: boolean }[];
  /** Based on earlier renders on this machine; absent before the first one. `bytes` is the size of the video. */
  estimate?: { seconds: number; bytes: number } | undefined;
  warnings: Warning[];
}

/**
 * The end of a job, kept by the store after the queue has forgotten the job. It is written once: the first
 * outcome that is written stands, so that a cancelled job cannot complete and no attempt can end twice.
 */
export interface JobRecord {
  projectId: string;
  jobId: string;
  requestId: string;
  title?: string;
  /** `normal` where it is left out. */
  priority?: Priority;
  /** SHA-256 of what the job asks for; see `fingerprint.ts`. */
  fingerprint: string;
  status: 'completed' | 'failed' | 'cancelled';
  dryRun: boolean;
  /** RFC 3339, UTC. */
  createdAt: string;
  startedAt?: string;
  finishedAt: string;
  attemptsMade: number;
  error?: { code: ErrorCode; message: string };
  warnings: Warning[];
  artifacts: Artifact[];
  plan?: PlanSummary;
  timings?: StageTimings;
  /** The object that holds the job as it was sent, and the history of its attempts; see jobDetails.ts. */
  details?: { sha256: string; bytes: number };
  /** Where to send a message about the end. */
  webhook?: WebhookCall;
}

/** A Standard Webhooks message: its id and its address. The URL may contain secrets and is never shown. */
export interface WebhookCall {
  id: string;
  url: string;
}
