import type { RunningApp } from '../app.ts';
import { type Config, loadConfig } from '../config.ts';
import { createLogger, type Logger } from '../logger.ts';
import { EXIT } from './exit.ts';

/** Starts, and stops on SIGTERM or SIGINT; a second signal ends the process at once. */
export async function runUntilSignal(
  start: (config: Config, logger: Logger) => Promise<RunningApp>,
): Promise<void> {
  const config = loadConfig(process.env);
  const logger = createLogger(config.logLevel);
  const app = await start(config, logger);
  let stopping = false;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (stopping) process.exit(EXIT.failed);
    stopping = true;
    logger.info({ signal }, 'stopping');
    await app.stop();
    logger.info('stopped');
    process.exit(EXIT.done);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
