/**
 * The catalogue of errors. A code is public and never changes. `status` is its HTTP status. `retryable` says whether
 * the unchanged job can succeed on another attempt. `title` is a sentence that anybody may see. `docs/errors.md` lists
 * the same codes, and a test compares both.
 */
export const catalogue = {
  // The request
  invalid_json: { status: 400, retryable: false, title: 'The body is not valid JSON.' },
  invalid_payload: { status: 400, retryable: false, title: 'The job does not match the schema.' },
  invalid_request: { status: 400, retryable: false, title: 'A parameter of the request is not valid.' },
  request_timeout: { status: 408, retryable: true, title: 'The request arrived too slowly.' },
  headers_too_large: { status: 431, retryable: false, title: 'The headers of the request are too large.' },
  unauthorized: { status: 401, retryable: false, title: 'An API key is needed.' },
  forbidden: { status: 403, retryable: false, title: 'The API key does not allow this.' },
  invalid_signature: {
    status: 403,
    retryable: false,
    title: 'The URL has expired, or its signature is not valid.',
  },
  not_found: { status: 404, retryable: false, title: 'There is nothing at this address.' },
  job_not_found: { status: 404, retryable: false, title: 'No such job.' },
  artifact_not_found: { status: 404, retryable: false, title: 'No such artifact.' },
  dead_letter_not_found: { status: 404, retryable: false, title: 'No such dead letter.' },
  ambiguous_job: {
    status: 409,
    retryable: false,
    title: 'Several projects have a job with this id; add ?projectId=.',
  },
  job_not_finished: { status: 409, retryable: false, title: 'The job has not finished.' },
  no_artifacts: { status: 409, retryable: false, title: 'The job ended without artifacts.' },
  no_stream: { status: 409, retryable: false, title: 'The job has no stream.' },
  job_already_finished: { status: 409, retryable: false, title: 'The job has already ended.' },
  payload_too_large: { status: 413, retryable: false, title: 'The body is too large.' },
  upload_quota_exceeded: {
    status: 413,
    retryable: false,
    title: "The project's upload quota is used up.",
  },
  unsupported_media_type: { status: 415, retryable: false, title: 'This content type is not accepted here.' },
  range_not_satisfiable: { status: 416, retryable: false, title: 'The range lies outside the file.' },
  job_id_reused: { status: 422, retryable: false, title: 'This jobId was used for a different job.' },
  rate_limited: { status: 429, retryable: true, title: 'Too many calls; try again later.' },
  queue_full: { status: 429, retryable: true, title: 'The queue is full; try again later.' },
  // The assets
  asset_missing: { status: 422, retryable: false, title: 'An asset cannot be found.' },
  asset_unreachable: { status: 422, retryable: true, title: 'An asset could not be fetched.' },
  asset_address_refused: { status: 422, retryable: false, title: 'The address of an asset is not allowed.' },
  asset_too_large: { status: 422, retryable: false, title: 'An asset is too large.' },
  asset_too_many_pixels: { status: 422, retryable: false, title: 'A picture has too many pixels.' },
  asset_limit_exceeded: {
    status: 422,
    retryable: false,
    title: 'A file has more frames, channels, tracks or seconds than allowed.',
  },
  asset_digest_mismatch: {
    status: 422,
    retryable: false,
    title: 'The bytes of an asset do not match its sha256.',
  },
  asset_type_unsupported: { status: 422, retryable: false, title: 'The type of an asset is not supported.' },
  asset_corrupt: { status: 422, retryable: false, title: 'An asset cannot be decoded.' },
  asset_empty: { status: 422, retryable: false, title: 'An asset is empty.' },
  preview_too_long: { status: 422, retryable: false, title: 'The preview would be too long.' },
  // The render
  cancelled: { status: 409, retryable: false, title: 'The job was cancelled.' },
  superseded: { status: 409, retryable: false, title: 'A newer job has replaced this one.' },
  render_failed: { status: 500, retryable: true, title: 'The preview could not be rendered.' },
  render_crashed: { status: 500, retryable: true, title: 'The render process ended unexpectedly.' },
  render_memory_exceeded: {
    status: 422,
    retryable: false,
    title: 'The render needed more memory than allowed; send smaller or fewer pictures.',
  },
  render_timeout: { status: 500, retryable: true, title: 'The render took too long.' },
  stalled: { status: 500, retryable: false, title: 'The workers that rendered the job died too often.' },
  // The service
  internal: { status: 500, retryable: true, title: 'Something went wrong on our side.' },
  queue_unavailable: {
    status: 503,
    retryable: true,
    title: 'The queue cannot be reached; nothing was accepted.',
  },
  stream_not_ready: { status: 503, retryable: true, title: 'There is nothing to play yet.' },
  store_unavailable: {
    status: 503,
    retryable: true,
    title: 'The store cannot be used; nothing was accepted.',
  },
  shutting_down: { status: 503, retryable: true, title: 'The service is stopping.' },
  embedded_queue_locked: { status: 503, retryable: false, title: 'Another process uses this data folder.' },
  config_invalid: { status: 500, retryable: false, title: 'The configuration is not valid.' },
} as const satisfies Record<string, { status: number; retryable: boolean; title: string }>;

export type ErrorCode = keyof typeof catalogue;

/** One mistake in an input: a JSON pointer (RFC 6901) to the value, and what is expected there. */
export interface InputError {
  pointer: string;
  message: string;
}

/** Where a render failed, as far as that is known. */
export interface FailurePlace {
  /** What the render was doing, as in its progress. */
  stage?: string;
  /** Kind of the part that was being rendered: `slide`, `segment`, `soundtrack`, `video` … */
  part?: string;
  /** Index of the step, from 0. */
  step?: number;
  /** Id of the asset. */
  asset?: string;
}

/**
 * Every error that leaves a room. Anybody may see its `message`, which says what was wrong, where, and what to do.
 * Paths, addresses and secrets belong into `cause`, which is only logged.
 */
export class PreviewError extends Error {
  readonly code: ErrorCode;
  readonly errors: readonly InputError[] | undefined;
  /** Seconds after which the caller may try again (`Retry-After`). */
  readonly retryAfterSeconds: number | undefined;
  readonly place: FailurePlace | undefined;

  constructor(
    code: ErrorCode,
    message: string = catalogue[code].title,
    extra: {
      cause?: unknown;
      errors?: readonly InputError[];
      retryAfterSeconds?: number;
      place?: FailurePlace | undefined;
    } = {},
  ) {
    super(message, extra.cause === undefined ? undefined : { cause: extra.cause });
    this.name = 'PreviewError';
    this.code = code;
    this.errors = extra.errors;
    this.retryAfterSeconds = extra.retryAfterSeconds;
    this.place = extra.place;
  }

  get status(): number {
    return catalogue[this.code].status;
  }

  get retryable(): boolean {
    return catalogue[this.code].retryable;
  }
}

/** Wraps any other error in a {@link PreviewError}, with the original as its `cause`. */
export function asPreviewError(error: unknown, code: ErrorCode = 'internal'): PreviewError {
  return error instanceof PreviewError ? error : new PreviewError(code, undefined, { cause: error });
}
