import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** How a job, or an attempt at one, ended. */
export const outcomes = ['success', 'failure', 'dry_run', 'invalid', 'cancelled', 'retry'] as const;
export type Outcome = (typeof outcomes)[number];

/** Every metric of the service, each defined once. */
export function createPreviewMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const buckets = [0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300];
  const jobsTotal = new Counter({
    name: 'preview_worker_jobs_total',
    help: 'Jobs that ended, and attempts that will be repeated, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  // A counter that appears only with its first event hides that event from rate().
  for (const outcome of outcomes) jobsTotal.inc({ outcome }, 0);
  return {
    registry,
    jobsTotal,
    jobDuration: new Histogram({
      name: 'preview_worker_job_duration_seconds',
      help: 'Time from the start of an attempt to the end of its job.',
      labelNames: ['format'],
      buckets,
      registers,
    }),
    activeJobs: new Gauge({
      name: 'preview_worker_active_jobs',
      help: 'Jobs that this process is rendering.',
      registers,
    }),
    queueJobs: new Gauge({
      name: 'preview_worker_queue_jobs',
      help: 'Jobs in the queue by state.',
      labelNames: ['state'],
      registers,
    }),
    oldestWaiting: new Gauge({
      name: 'preview_worker_queue_oldest_waiting_seconds',
      help: 'Age of the job that has waited longest.',
      registers,
    }),
    segmentsTotal: new Counter({
      name: 'preview_worker_segments_total',
      help: 'Segments that were encoded, and those that were found in the store.',
      labelNames: ['result'],
      registers,
    }),
    firstSegment: new Histogram({
      name: 'preview_worker_first_segment_seconds',
      help: 'Time from the start of a render to its first finished segment.',
      buckets: [0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3, 6, 12],
      registers,
    }),
    httpDuration: new Histogram({
      name: 'preview_worker_http_request_duration_seconds',
      help: 'Time to answer an HTTP request, by route and status.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    }),
  };
}

export type PreviewMetrics = ReturnType<typeof createPreviewMetrics>;
