import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { packageVersion } from '../version.ts';

/** How a job, or an attempt at one, ended. */
export const outcomes = ['success', 'failure', 'dry_run', 'invalid', 'cancelled', 'retry'] as const;
export type Outcome = (typeof outcomes)[number];

const formats = ['mp4', 'webm'] as const;
/** How an attempt to deliver a webhook ended; after `failure` there is no other one. */
export const deliveryOutcomes = ['delivered', 'retry', 'failure'] as const;

const segmentResults = ['rendered', 'reused'] as const;

/** Every metric of the service, each defined once. */
export function createPreviewMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const jobsTotal = new Counter({
    name: 'preview_worker_jobs_total',
    help: 'Jobs that ended, and attempts that will be repeated, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const jobDuration = new Histogram({
    name: 'preview_worker_job_duration_seconds',
    help: 'Time from the start of an attempt to the end of its job.',
    labelNames: ['format'],
    buckets: [0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300],
    registers,
  });
  const segmentsTotal = new Counter({
    name: 'preview_worker_segments_total',
    help: 'Segments that were encoded, and those that were found in the store.',
    labelNames: ['result'],
    registers,
  });
  const webhookDeliveries = new Counter({
    name: 'preview_worker_webhook_deliveries_total',
    help: 'Attempts to deliver a webhook, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const buildInfo = new Gauge({
    name: 'preview_worker_build_info',
    help: 'The version of this process, always 1.',
    labelNames: ['version'],
    registers,
  });
  buildInfo.set({ version: packageVersion }, 1);
  for (const outcome of deliveryOutcomes) webhookDeliveries.inc({ outcome }, 0);
  // A series that appears only with its first event hides that event from rate().
  for (const outcome of outcomes) jobsTotal.inc({ outcome }, 0);
  for (const format of formats) jobDuration.zero({ format });
  for (const result of segmentResults) segmentsTotal.inc({ result }, 0);
  return {
    registry,
    jobsTotal,
    jobDuration,
    segmentsTotal,
    webhookDeliveries,
    buildInfo,
    activeJobs: new Gauge({
      name: 'preview_worker_active_jobs',
      help: 'Jobs that this process is rendering.',
      registers,
    }),
    queueUp: new Gauge({
      name: 'preview_worker_queue_up',
      help: 'Whether the queue answered when it was last counted: 1 or 0.',
      registers,
    }),
    queueJobs: new Gauge({
      name: 'preview_worker_queue_jobs',
      help: 'Jobs in the queue by state, as counted within the last five seconds.',
      labelNames: ['state'],
      registers,
    }),
    queueLimit: new Gauge({
      name: 'preview_worker_queue_limit',
      help: 'Jobs that may wait; above it POST answers 429.',
      registers,
    }),
    oldestWaiting: new Gauge({
      name: 'preview_worker_queue_oldest_waiting_seconds',
      help: 'Age of the job that has waited longest.',
      registers,
    }),
    workers: new Gauge({
      name: 'preview_worker_workers',
      help: 'Workers that the queue knows, of all processes.',
      registers,
    }),
    deadLetters: new Gauge({
      name: 'preview_worker_dead_letters',
      help: 'Jobs that were given up and wait for someone to replay or discard them.',
      registers,
    }),
    storeBytes: new Gauge({
      name: 'preview_worker_store_bytes',
      help: 'Room on the disk of the file system store: free, and in total.',
      labelNames: ['kind'],
      registers,
    }),
    renderCpu: new Counter({
      name: 'preview_worker_render_cpu_seconds_total',
      help: 'CPU time, user and system, that the renders of completed jobs took in their child processes.',
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
