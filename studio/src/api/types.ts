/* What the HTTP API answers, as far as the studio reads it; the whole of it is at /openapi.json. */

export type JobState = 'queued' | 'rendering' | 'retrying' | 'completed' | 'failed' | 'cancelled';

export const ENDED: readonly JobState[] = ['completed', 'failed', 'cancelled'];

export interface Warning {
  code: string;
  message: string;
  /** The step's index, from 0. */
  step?: number;
}

export interface JobLinks {
  status: string;
  artifacts: string;
  stream: string;
  events: string;
  history: string;
  self: string;
  cancel: string;
}

export interface JobStatus {
  jobId: string;
  projectId: string;
  requestId: string;
  title?: string;
  priority?: 'low' | 'normal' | 'high';
  status: JobState;
  progress: { percent: number; stage: string };
  attemptsMade: number;
  createdAt: string;
  startedAt?: string;
  finishedAt?: string;
  error?: { code: string; message: string };
  warnings?: Warning[];
  links: JobLinks;
}

/** A job as the list shows it. */
export type ListedJob = Omit<JobStatus, 'warnings'>;

export interface Attempt {
  attempt: number;
  worker?: string;
  startedAt: string;
  endedAt?: string;
  outcome?: string;
  error?: { code: string; message: string };
}

export interface MadePart {
  attempt: number;
  kind: string;
  reused: boolean;
  startedAt: string;
  endedAt: string;
}

export interface LogLine {
  time: string;
  level: string;
  msg: string;
  attempt?: number;
  error?: { code: string; message: string };
}

export interface JobHistory {
  attempts: Attempt[];
  parts: MadePart[];
  logs: LogLine[];
}

export interface HealthCheck {
  name: string;
  ok: boolean;
  message: string;
}

export interface QueueState {
  counts: Record<string, number>;
  waiting: number;
  limit: number;
  oldestWaitingAgeSeconds: number;
  deadLetters: number;
  finishedPerMinute: number;
  workers: number;
  durations: { count: number; p50Seconds?: number; p95Seconds?: number };
  health: { status: 'ok' | 'down'; checks: HealthCheck[] };
}

export interface WorkerHealth {
  status: 'ok' | 'down';
  queue: { connected: boolean; latencyMs: number | null };
  workers: { name: string; activeJobs?: number; concurrency?: number }[];
  checks: HealthCheck[];
}

export interface DeadLetter {
  projectId: string;
  jobId: string;
  requestId: string;
  error: { code: string; message: string };
  place?: { stage?: string; part?: string; step?: number; asset?: string };
  attemptsMade: number;
  acceptedAt: string;
  failedAt: string;
}

export interface SegmentEvent {
  index: number;
  of: number;
  startSeconds: number;
  endSeconds: number;
  /** It was there before the job began. */
  reused?: boolean;
}

export interface SignedArtifact {
  name: string;
  mediaType: string;
  bytes: number;
  sha256: string;
  url: string;
  expiresAt: string;
}

export interface Manifest {
  title?: string;
  durationSeconds: number;
  width: number;
  height: number;
  fps: number;
  audio: { integratedLufs: number; truePeakDb: number } | null;
  stats: {
    renderSeconds: number;
    firstSegmentSeconds: number | null;
    framesEncoded: number;
    segments: { total: number; reused: number };
  };
}

export interface Access {
  /** Absent where the service asks for no keys. */
  project?: string;
  scopes: string[];
  uploadMaxBytes: number;
}

/** One complaint of the API about an input. */
export interface InputError {
  pointer: string;
  message: string;
}
