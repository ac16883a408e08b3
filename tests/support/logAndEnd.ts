/** A process that logs a hundred lines in the format `argv[3]`, and then ends as `argv[2]` says. */
import { createLogger } from '../../src/logger.ts';

const [, , end = '', format] = process.argv;
const logger = createLogger('info', { format: format === 'pretty' ? 'pretty' : 'json' });
const other = createLogger('info', { format: format === 'pretty' ? 'pretty' : 'json' });
const padding = 'x'.repeat(2000);

function logAll(): void {
  for (let i = 0; i < 100; i++) (i % 2 ? logger : other).info({ i, padding }, 'line');
}

const ends: Record<string, () => void> = {
  'by itself': logAll,
  'on process.exit': () => {
    process.on('exit', () => logger.info({ i: 100, padding }, 'line'));
    logAll();
    process.exit(3);
  },
  'on an error that nobody catches': () => {
    logAll();
    throw new Error('nobody catches this');
  },
  'on SIGTERM': () => {
    const alive = setInterval(() => undefined, 1000);
    process.once('SIGTERM', () => {
      clearInterval(alive);
      logAll();
      process.exit(3);
    });
    process.kill(process.pid, 'SIGTERM');
  },
  // Nothing can be done after a SIGKILL: what is fatal is written before.
  'on SIGKILL after a fatal line': () => {
    logAll();
    logger.fatal({ i: 100 }, 'line');
    process.kill(process.pid, 'SIGKILL');
  },
};
ends[end]?.();
