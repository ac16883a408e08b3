import { DelayedError, type Job, UnrecoverableError, type Worker } from 'bullmq';
import type { Logger } from '../../logger.ts';
import { createReach, type QueueBackend } from '../../queue/queueBackend.ts';
import { type QueuedJob, queueId, webhookQueueName } from '../../queue/queuedJob.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';
import type { PreviewMetrics } from '../previewMetrics.ts';
import { createDeliverySlots } from './deliverySlots.ts';
import { messageBody, waitBefore, webhookOf } from './webhookMessage.ts';
import type { WebhookSender } from './webhookSender.ts';
import { messageKey, placeOf, type QueuedMessage } from './webhooks.ts';

/** The secrets of each project; with several a message has a signature by each. */
export type WebhookSecrets = ReadonlyMap<string, readonly Buffer[]>;

export interface WebhookWorker {
  start(): void;
  /** Ends what is being delivered; it is delivered again. */
  stop(): Promise<void>;
}

/** They wait for others, and cost nothing meanwhile. Projects whose receivers are slow must not hold up the rest. */
const AT_ONCE = { ofAll: 128, ofProject: 8 };
/** The lock is renewed while a message is delivered; what a killed process had is taken up after 10 to 20 s. */
const LOCK_MS = 10_000;
const STALLED_CHECK_MS = 5_000;
/** How often it is looked whether the record of a message that came too early has been written. */
const RECORD_CHECK_MS = 1000;
/** Where the store is away all messages look, so each looks ever less often, until it is this many times as long. */
const RAREST_CHECK = 60;

/** A delivery that is to be tried again, and what the receiver asked for. */
class NotDelivered extends Error {
  readonly retryAfterSeconds: number;

  constructor(message: string, retryAfterSeconds: number) {
    super(message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Delivers the messages that tell of a job's end. */
export function createWebhookWorker(options: {
  backend: QueueBackend;
  queueName: string;
  store: Pick<ArtifactStore, 'getRecord'>;
  secrets: Pick<WebhookSecrets, 'get'>;
  send: WebhookSender;
  metrics: PreviewMetrics;
  logger: Logger;
  /** Milliseconds to the next delivery; other than {@link waitBefore} in tests only. */
  wait?: typeof waitBefore;
}): WebhookWorker {
  const { backend, queueName, store, secrets, send, metrics, wait = waitBefore } = options;
  const jobs = backend.queue<QueuedJob, string>(queueName);
  const reach = createReach(backend);
  const stopping = new AbortController();
  const slots = createDeliverySlots<Job<QueuedMessage>>(AT_ONCE);
  let worker: Worker<QueuedMessage, void> | undefined;

  /** Puts a message back as if it had not been taken. */
  const putBack = async (job: Job<QueuedMessage>, token: string, milliseconds: number): Promise<never> => {
    await job.moveToDelayed(Date.now() + milliseconds, token);
    throw new DelayedError();
  };

  /** What to send; undefined where the job has been sent again since, or its record is gone. */
  const readBody = async (job: Job<QueuedMessage>, token: string): Promise<string | undefined> => {
    const { projectId, jobId, id } = job.data;
    try {
      const record = await store.getRecord(projectId, jobId);
      if (record?.webhook?.id === id) return messageBody(record);
      // A message is queued before the record is written. Where its job still waits or runs, the record is to come.
      const queued = await reach(() => jobs.getJob(queueId({ projectId, jobId })));
      if (!queued || id !== webhookOf(queued.data).webhook?.id) return undefined;
    } catch (error) {
      options.logger.warn({ err: error, webhookId: id }, 'the record of a webhook cannot be read yet');
      return putBack(job, token, RECORD_CHECK_MS * Math.min(job.attemptsStarted, RAREST_CHECK));
    }
    return putBack(job, token, RECORD_CHECK_MS);
  };

  const deliver = async (job: Job<QueuedMessage>, token: string): Promise<void> => {
    const { projectId, jobId, id, url, attempts } = job.data;
    const body = await readBody(job, token);
    const logger = options.logger.child({ projectId, jobId, webhookId: id });
    if (body === undefined) {
      logger.info('webhook dropped: the job was sent again, or its record is gone');
      throw new UnrecoverableError('The job was sent again, or its record is gone.');
    }
    const started = new Date();
    const known = secrets.get(projectId);
    const knock = known
      ? await send({ id, url, body, secrets: known }, stopping.signal)
      : {
          failure: `Project "${projectId}" has no secret in PREVIEW_WEBHOOK_SECRETS.`,
          final: false,
          retryAfterSeconds: 0,
        };
    const milliseconds = Date.now() - started.getTime();
    // Who stops says nothing of the receiver: the message goes back as if it had not been sent.
    if (stopping.signal.aborted && knock.failure) return putBack(job, token, 0);
    const { status, failure, final, retryAfterSeconds } = knock;
    const entry = {
      at: started.toISOString(),
      milliseconds,
      ...(status === undefined ? {} : { status }),
      ...(failure === undefined ? {} : { failure }),
    };
    await job.updateData({ ...job.data, attempts: [...attempts, entry] });
    const line = { place: placeOf(url), status, milliseconds };
    if (failure === undefined) {
      metrics.webhookDeliveries.inc({ outcome: 'delivered' });
      logger.info(line, 'webhook delivered');
      return;
    }
    const isLast = final || job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
    metrics.webhookDeliveries.inc({ outcome: isLast ? 'failure' : 'retry' });
    logger.warn(
      { ...line, failure },
      isLast ? 'webhook given up' : 'webhook not delivered, it is tried again',
    );
    throw final ? new UnrecoverableError(failure) : new NotDelivered(failure, retryAfterSeconds);
  };

  const lineUp = async (job: Job<QueuedMessage>, token: string): Promise<never> => {
    const { projectId } = job.data;
    const id = messageKey(job.data);
    await job.moveToDelayed(slots.lineUp(projectId, id, Date.now()), token);
    slots.canBeCalled(projectId, id, job);
    throw new DelayedError();
  };

  /** A message that could not be called comes without a call, a little later. */
  const call = (job: Job<QueuedMessage>): Promise<void> =>
    job.promote().catch((error: unknown) => {
      options.logger.debug({ err: error, webhookId: job.data.id }, 'webhook not called');
    });

  const deliverInTurn = async (job: Job<QueuedMessage>, token = ''): Promise<void> => {
    const { projectId } = job.data;
    if (!slots.take(projectId, messageKey(job.data))) return lineUp(job, token);
    try {
      await deliver(job, token);
    } finally {
      const next = slots.release(projectId, Date.now());
      if (next && !stopping.signal.aborted) void call(next);
    }
  };

  return {
    start() {
      worker = backend.worker<QueuedMessage, void>(webhookQueueName(queueName), deliverInTurn, {
        concurrency: AT_ONCE.ofAll,
        lockDuration: LOCK_MS,
        stalledInterval: STALLED_CHECK_MS,
        // A process that dies while it delivers costs the receiver a second copy, never the message.
        maxStalledCount: 100,
        settings: {
          backoffStrategy: (made, _type, error) =>
            wait(made, error instanceof NotDelivered ? error.retryAfterSeconds : 0, Math.random()),
        },
      });
    },
    async stop() {
      stopping.abort();
      // BullMQ waits for its connection without a limit.
      const late = new Promise((resolve) => setTimeout(resolve, STOP_MS).unref());
      await Promise.race([worker?.close().catch(() => undefined), late]);
      await Promise.race([jobs.close().catch(() => undefined), late]);
    },
  };
}

const STOP_MS = 2000;
