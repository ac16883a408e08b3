import { type DestinationStream, type Logger, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';

export type { Logger } from 'pino';

/** What is never written, wherever it comes from; LOG_REDACT adds to it. */
const SECRETS = ['authorization', 'apiKey', 'secret', 'password'].flatMap((name) => [name, `*.${name}`]);

export interface LoggerOptions {
  /** `json`: a line an event. `pretty`: coloured, for people. */
  format?: 'json' | 'pretty';
  /** Fields whose values are written as `[redacted]`, besides those that are always: `title`, `err.message`, `*.url`. */
  redact?: readonly string[];
  /** Where the lines go; stdout where it is left out. */
  destination?: DestinationStream;
}

/** Lines with ISO times, the level as a word, errors with their causes. */
export function createLogger(
  level: string,
  { format = 'json', redact = [], destination }: LoggerOptions = {},
): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: pino.stdSerializers.errWithCause },
    redact: { paths: [...SECRETS, ...redact], censor: '[redacted]' },
  };
  const target = destination ?? pino.destination({ dest: 1, sync: true });
  if (format === 'json') return pino(options, target);
  const prettify = prettyFactory({ colorize: !destination });
  return pino(options, { write: (line: string) => target.write(prettify(line)) });
}
