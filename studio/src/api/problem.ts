import type { InputError } from './types.ts';

/** A refusal by the service (RFC 9457), or a failure to reach it. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly errors: readonly InputError[];
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: number,
    { code = 'unknown', detail = '', title = '', errors = [] }: Partial<ProblemDocument>,
    retryAfterSeconds?: number,
  ) {
    super(detail || title || `The service answered with ${status}.`);
    this.status = status;
    this.code = code;
    this.errors = errors;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The queue is full, or the service or its proxy is away for a moment. */
const PASSING = [0, 429, 502, 503, 504];

/** Whether the same call may succeed later. */
export const passes = (error: unknown): error is Problem =>
  error instanceof Problem && PASSING.includes(error.status);

export interface ProblemDocument {
  code: string;
  title: string;
  detail: string;
  errors: InputError[];
}
