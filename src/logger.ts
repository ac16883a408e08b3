import { type Bindings, type DestinationStream, type Logger, pino } from 'pino';
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

/**
 * A child that also hands on each of its lines from `info` on, as it is written, whatever level the logger has: redacted
 * in the same way. See "symbols" in pino's documentation.
 */
export function copyingChild(logger: Logger, bindings: Bindings, onLine: (line: string) => void): Logger {
  const { info } = pino.levels.values as { info: number };
  const writtenFrom = logger.levelVal;
  const target: DestinationStream = Reflect.get(logger, pino.symbols.streamSym);
  const child = logger.child(bindings, writtenFrom > info ? { level: 'info' } : {});
  const copier = {
    [pino.symbols.needsMetadataGsym]: true,
    lastLevel: 0,
    write(line: string): void {
      if (copier.lastLevel >= writtenFrom) target.write(line);
      if (copier.lastLevel >= info) onLine(line);
    },
  };
  Reflect.set(child, pino.symbols.streamSym, copier);
  return child;
}
