import { PreviewError } from '../errors.ts';
import type { Logger } from '../logger.ts';

/** The longest that a producer or a health check waits for the backend, in milliseconds. */
export const COMMAND_TIMEOUT_MS = 2000;

/** BullMQ emits `error` for every hiccup of its connection; without a listener that would end the process. */
export function quiet<Emitter extends { on(event: 'error', listener: (error: Error) => void): unknown }>(
  emitter: Emitter,
  logger: Logger,
): Emitter {
  emitter.on('error', (error) => logger.debug({ err: error }, 'queue connection'));
  return emitter;
}

/** Calls the backend. @returns milliseconds of the round trip @throws PreviewError `queue_unavailable` */
export async function timed(call: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  try {
    await call();
  } catch (cause) {
    throw new PreviewError('queue_unavailable', undefined, { cause });
  }
  return Math.round((performance.now() - started) * 100) / 100;
}
