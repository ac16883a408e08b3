import { AsyncLocalStorage } from 'node:async_hooks';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { JobCounts, JobStatus, QueueAdapterOptions } from '@bull-board/api/typings/app';
import { FastifyAdapter } from '@bull-board/fastify';
import type { Job, JobType, Queue } from 'bullmq';
import type { FastifyInstance } from 'fastify';
import { asPreviewError, PreviewError } from '../../errors.ts';
import type { QueueBackend } from '../../queue/queueBackend.ts';
import { deadQueueName, webhookQueueName } from '../../queue/queuedJob.ts';

const PREFIX = '/admin/queues';

/** Allows its own scripts and inline styles, and nothing from other hosts. */
const POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * Bull Board, a page on which operators see the queues: jobs, dead letters and webhooks. It is read-only, because a change in
 * the queue would not reach the records in the store: a job removed here would never end. The API has calls to replay,
 * discard and cancel.
 */
export async function bullBoardRoutes(
  app: FastifyInstance,
  { backend, queueName }: { backend: QueueBackend; queueName: string },
): Promise<void> {
  const queues = [
    { name: queueName, description: 'Waiting, running and recently ended jobs.' },
    { name: deadQueueName(queueName), description: 'Dead letters. Replay or discard them with the API.' },
    { name: webhookQueueName(queueName), description: 'Webhook messages.' },
  ].map(({ name, description }) => ({ queue: backend.queue(name), description }));
  app.addHook('onClose', async () => {
    await Promise.all(queues.map(({ queue }) => queue.close().catch(() => undefined)));
  });
  app.addHook('onRequest', ({ project }, _reply, done) => asked.run(project, done));
  app.addHook('onRequest', async ({ method }, reply) => {
    reply.headers({
      'content-security-policy': POLICY,
      'cache-control': 'no-cache',
      'referrer-policy': 'no-referrer',
    });
    if (method !== 'GET' && method !== 'HEAD')
      throw new PreviewError(
        'forbidden',
        'This page is read-only; change jobs and dead letters with the API.',
      );
  });

  // A page for people is not part of the OpenAPI document.
  app.addHook('onRoute', (route) => {
    route.schema = { ...route.schema, hide: true };
  });
  // Its page loads fonts from another host. The fallback fonts will do.
  app.addHook('onSend', async (_request, _reply, payload) =>
    typeof payload === 'string' ? payload.replace(/<link href="https:[^>]*>/g, '') : payload,
  );

  const serverAdapter = new FastifyAdapter();
  serverAdapter.setBasePath(PREFIX);
  createBullBoard({
    queues: queues.map(({ queue, description }) => boardOf(queue, description)),
    serverAdapter,
    options: { uiConfig: { boardTitle: 'Preview Worker', hideRedisDetails: true } },
  });
  // Its own answers what is refused with 500.
  serverAdapter.setErrorHandler((thrown) => {
    const { status, code, message } = asPreviewError(thrown);
    return { status: status as 500, body: { status, code, detail: message } };
  });
  await app.register(serverAdapter.registerPlugin(), { prefix: PREFIX });
}

/** The project of the key of the present request; undefined if no keys are configured. */
const asked = new AsyncLocalStorage<string | undefined>();

/** Shows only the jobs of one project, that of the key. */
class ProjectAdapter extends BullMQAdapter {
  readonly #queue: Queue;

  constructor(queue: Queue, options: Partial<QueueAdapterOptions>) {
    super(queue, options);
    this.#queue = queue;
  }

  override async getJob(id: string): Promise<Job | undefined> {
    return isOwn(id) ? this.#queue.getJob(id) : undefined;
  }

  override async getJobs(statuses: JobStatus<'bullmq'>[], start = 0, end = -1): Promise<Job[]> {
    const ids = (await this.#queue.getRanges(statuses as JobType[], 0, -1)).filter(isOwn);
    const jobs = await Promise.all(
      ids.slice(start, end < 0 ? undefined : end + 1).map((id) => this.#queue.getJob(id)),
    );
    return jobs.filter((job) => job !== undefined);
  }

  override async getJobCounts(): Promise<JobCounts> {
    const counts = await this.#queue.getJobCounts();
    if (asked.getStore() === undefined) return counts as JobCounts;
    const own = Object.keys(counts).map(async (state) => {
      const ids = await this.#queue.getRanges([state as JobType], 0, -1);
      return [state, ids.filter(isOwn).length];
    });
    return Object.fromEntries(await Promise.all(own));
  }

  override async getJobLogs(id: string): Promise<string[]> {
    return isOwn(id) ? super.getJobLogs(id) : [];
  }
}

/** By the part of the id that all three queues begin theirs with. */
function isOwn(id: string): boolean {
  const project = asked.getStore();
  return project === undefined || id.startsWith(`${project}~`);
}

function boardOf(queue: Queue, description: string): BullMQAdapter {
  const adapter = new ProjectAdapter(queue, { readOnlyMode: true, allowRetries: false, description });
  // The address of a webhook may hold a secret, and is shown to nobody.
  adapter.setFormatter('data', withoutWebhook);
  return adapter;
}

/** What lies in the queue, without where it tells of its end. */
function withoutWebhook(data: unknown): unknown {
  const text = JSON.stringify(data ?? null, (key, value: unknown) => {
    if (key === 'webhook') return '[redacted]';
    return key === 'url' && typeof value === 'string' ? (value.split('?')[0] ?? '') : value;
  });
  return JSON.parse(text);
}
