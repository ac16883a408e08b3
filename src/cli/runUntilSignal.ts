import type { RunningApp } from '../app.ts';
import type { Config } from '../config.ts';
import { createLogger, type Logger } from '../logger.ts';
import { EXIT } from './exit.ts';

/** Milliseconds; a shorter grace would not even suffice to give jobs back. */
const SHORTEST_MS = 3000;
/** The process ends by itself this long before a supervisor would kill it. */
const BEFORE_THE_END_MS = 1000;

const lastMoment = ({ shutdownGraceSeconds }: Config): number =>
  Math.max(SHORTEST_MS, shutdownGraceSeconds * 1000) - BEFORE_THE_END_MS;

/**
 * Starts, and stops on the first SIGTERM or SIGINT, even while it is still starting. A second signal ends the process and
 * its render children at once. Just before the grace ends, the process exits, whatever could not be closed by then.
 * SIGHUP reads keys and secrets again from their files.
 * @param load reads the configuration
 */
export async function runUntilSignal(
  start: (config: Config, logger: Logger) => Promise<RunningApp>,
  load: () => Config,
): Promise<void> {
  const config = load();
  const { logLevel, logFormat, logRedact: redact } = config;
  const format = logFormat === 'auto' ? (process.stdout.isTTY ? 'pretty' : 'json') : logFormat;
  const places = {
    DATA_DIR: config.dataDir,
    ...(config.fontsDir ? { PREVIEW_FONTS_DIR: config.fontsDir } : {}),
  };
  const logger = createLogger(logLevel, { format, redact, places });
  const app = start(config, logger);
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(EXIT.failed);
    stopping = true;
    logger.info({ signal }, 'stopping');
    // If something cannot be closed, for example because it cannot be reached, nobody waits longer than the grace.
    setTimeout(() => {
      logger.error('not everything could be closed within the grace');
      process.exit(EXIT.failed);
    }, lastMoment(config)).unref();
    void stop();
  };
  const stop = async (): Promise<void> => {
    try {
      await (await app).stop();
      logger.info('stopped');
      process.exit(EXIT.done);
    } catch (error) {
      logger.fatal({ err: error }, 'could not stop in order');
      process.exit(EXIT.failed);
    }
  };
  const reload = async (): Promise<void> => {
    try {
      const running = await app;
      running.reload(load());
      logger.info('keys and secrets read again');
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      logger.error({ problem }, 'keys and secrets could not be read again; they stay as they were');
    }
  };
  process.on('SIGHUP', () => void reload());
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  await app;
}
