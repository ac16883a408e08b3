import { openOperations } from '../app/base.ts';
import type { Config } from '../config.ts';
import { PreviewError } from '../errors.ts';
import { createLogger } from '../logger.ts';
import type { DeadLetterSummary } from '../worker/deadLetters/deadLetter.ts';
import type { DeadLetters } from '../worker/deadLetters/deadLetters.ts';
import { deadLettersOverHttp } from './deadLettersOverHttp.ts';

/** Names the job of a command. `project` is only needed if several projects have the job. */
export interface DeadLetterOptions {
  project?: string;
}

export async function listDeadLetters({ project }: DeadLetterOptions, config: Config): Promise<void> {
  await withDeadLetters(config, async (deadLetters) => {
    const { total, deadLetters: shown } = await deadLetters.list({ projectId: project });
    for (const letter of shown) console.log(lineOf(letter));
    const rest = total - shown.length;
    if (total === 0) console.log('There are no dead letters.');
    else if (rest > 0) console.log(`… and ${rest} more`);
  });
}

export async function showDeadLetter(
  jobId: string,
  { project }: DeadLetterOptions,
  config: Config,
): Promise<void> {
  await withDeadLetters(config, async (deadLetters) => {
    console.log(JSON.stringify(await deadLetters.get({ jobId, projectId: project }), null, 2));
  });
}

export async function replayDeadLetter(
  jobId: string,
  { project }: DeadLetterOptions,
  config: Config,
): Promise<void> {
  await withDeadLetters(config, async (deadLetters) => {
    const { status } = await deadLetters.replay({ jobId, projectId: project });
    console.log(`${status.projectId}/${status.jobId} is ${status.status}`);
  });
}

export async function discardDeadLetter(
  jobId: string,
  { project }: DeadLetterOptions,
  config: Config,
): Promise<void> {
  await withDeadLetters(config, async (deadLetters) => {
    await deadLetters.discard({ jobId, projectId: project });
    console.log(`The dead letter of ${jobId} is discarded`);
  });
}

/** Uses the queue directly. While a service has the embedded queue, asks that service over HTTP instead. */
async function withDeadLetters(
  config: Config,
  use: (deadLetters: DeadLetters) => Promise<void>,
): Promise<void> {
  const operations = await openOperations(config, createLogger('silent')).catch((error: unknown) => {
    if (error instanceof PreviewError && error.code === 'embedded_queue_locked') return undefined;
    throw error;
  });
  if (!operations) return use(deadLettersOverHttp(`http://${config.host}:${config.port}`, config.apiKey));
  try {
    await use(operations.deadLetters);
  } finally {
    await operations.stop();
  }
}

function lineOf({ projectId, jobId, error, place, attemptsMade, failedAt }: DeadLetterSummary): string {
  const where = Object.entries(place ?? {}).map(([name, value]) => `${name} ${value}`);
  const attempts = `${attemptsMade} ${attemptsMade === 1 ? 'attempt' : 'attempts'}`;
  return [failedAt, `${projectId}/${jobId}`, error.code, where.join(', '), attempts, error.message]
    .filter(Boolean)
    .join('  ');
}
