import { homedir, tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Bindings, type DestinationStream, type Logger, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';

export type { Logger } from 'pino';

/** Fields that are always redacted. LOG_REDACT adds to them. */
const SECRETS = ['authorization', 'apiKey', 'secret', 'password'].flatMap((name) => [name, `*.${name}`]);

export interface LoggerOptions {
  /** `json`: one line of JSON for each event. `pretty`: coloured text. */
  format?: 'json' | 'pretty';
  /** Fields whose values are written as `[redacted]`, besides those that are always: `title`, `err.message`, `*.url`. */
  redact?: readonly string[];
  /** Folders of this machine, by the names that are written instead: `{ DATA_DIR: '/srv/previews' }`. */
  places?: Readonly<Record<string, string>>;
  /** Where the lines go; stdout by default. */
  destination?: DestinationStream;
}

/**
 * Lines with ISO times, the level as a word, errors with their causes; without secrets, and without the folders of this
 * machine.
 */
export function createLogger(
  level: string,
  { format = 'json', redact = [], places = {}, destination }: LoggerOptions = {},
): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: describeError },
    hooks: { streamWrite: createScrubber(places) },
    redact: { paths: [...SECRETS, ...redact], censor: '[redacted]' },
  };
  const target: LogTarget = destination ?? standardOutput();
  if (format === 'json') return sparePlainValues(pino(options, target));
  const prettify = prettyFactory({ colorize: !destination });
  const pretty: LogTarget = {
    write: (line) => target.write(prettify(line)),
    flushSync: () => target.flushSync?.(),
  };
  return sparePlainValues(pino(options, pretty));
}

/**
 * A path like `*.secret` is about the fields of objects. Pino also looks for it in every string and number, which takes as
 * long as the rest of the line.
 */
function sparePlainValues(logger: Logger): Logger {
  const redactors: Record<symbol, ((value: unknown) => string) | undefined> = Reflect.get(
    logger,
    pino.symbols.stringifiersSym,
  );
  const redact = redactors[pino.symbols.wildcardFirstSym];
  // The path `*` alone is about all values.
  if (redact?.('word') !== '"word"') return logger;
  redactors[pino.symbols.wildcardFirstSym] = (value) =>
    typeof value === 'object' ? redact(value) : JSON.stringify(value);
  return logger;
}

interface LogTarget extends DestinationStream {
  /** Writes the gathered lines. Pino calls it after a fatal line. */
  flushSync?(): void;
}

let stdout: LogTarget | undefined;

/** There is one for the process, so that the lines of several loggers keep their order. */
function standardOutput(): LogTarget {
  stdout ??= gatherLines(pino.destination({ dest: 1, sync: true }));
  return stdout;
}

/** How long a line waits for others, and how many characters are written without waiting. */
const GATHER_MS = 10;
const GATHER_MOST = 65_536;

/**
 * Writes several lines together, because a system call for each costs more than the line, and so does waking the reader. When
 * the process ends, even by an uncaught error, the gathered lines are still written. A killed process loses ten milliseconds
 * of lines.
 */
function gatherLines(target: DestinationStream): LogTarget {
  let gathered = '';
  let isEnding = false;
  const flushSync = (): void => {
    const text = gathered;
    gathered = '';
    if (text !== '') target.write(text);
  };
  process.once('exit', () => {
    isEnding = true;
    flushSync();
  });
  return {
    write(line) {
      if (gathered === '') setTimeout(flushSync, GATHER_MS).unref();
      gathered += line;
      if (isEnding || gathered.length > GATHER_MOST) flushSync();
    },
    flushSync,
  };
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

/**
 * The fields of an error that are logged. Drivers attach more to their errors: ioredis the command with its arguments, which may
 * be a password or a whole job, and the AWS SDK the request with its signature. None of that is logged.
 */
function describeError(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const { message, stack, cause } = thrown;
  const { code, place } = thrown as { code?: unknown; place?: unknown };
  return {
    type: thrown.name === 'Error' ? thrown.constructor.name : thrown.name,
    message,
    ...(code === undefined ? {} : { code }),
    ...(place === undefined ? {} : { place }),
    stack,
    ...(thrown instanceof AggregateError ? { errors: thrown.errors.map(describeError) } : {}),
    ...(cause === undefined ? {} : { cause: describeError(cause) }),
  };
}

/** Patterns of secrets, in any text. */
const SECRET_PATTERNS: readonly [RegExp, string][] = [
  // The user info and the query of an address. A query may contain anything, and is seldom worth logging.
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/"'@\\?#]*@/gi, '$1[redacted]@'],
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/[^\s"'?#<>\\]+)\?[^\s"'#<>\\]*/gi, '$1?[redacted]'],
  // A signed URL without its host.
  [/\b((?:x-amz-)?(?:signature|credential|security-token)=)[^\s"'&\\]+/gi, '$1[redacted]'],
  [/\b((?:bearer|basic) )[A-Za-z0-9._~+/=-]{8,}/gi, '$1[redacted]'],
  [/\bwhsec_[A-Za-z0-9+/=]+/g, 'whsec_[redacted]'],
];
/** Every secret contains one of these, or an authentication scheme. */
const SIGNS_OF_SECRETS = ['://', '=', 'whsec_'];
const SCHEME = /bearer |basic /i;

/** The folder of this package. Stack lines are written relative to it. */
const PACKAGE_FOLDER = fileURLToPath(new URL('..', import.meta.url));

/** Removes secrets that libraries put into their messages, where redaction by field cannot find them. */
function createScrubber(places: Readonly<Record<string, string>>): (line: string) => string {
  const named = Object.entries({ ...places, TMPDIR: tmpdir(), '~': homedir() })
    .map(([name, folder]): [string, string] => [name, resolve(folder)])
    .filter(([, folder]) => folder.length > 1)
    .sort(([, a], [, b]) => b.length - a.length);
  const folders = named.map(([name, folder]): [RegExp, string] => [
    new RegExp(`(?:file://)?(?<![\\w.-])${escapeRegExp(folder)}(?![\\w.-])`, 'g'),
    name,
  ]);
  const own: [RegExp, string] = [
    new RegExp(`(?:file://)?(?<![\\w.-])${escapeRegExp(PACKAGE_FOLDER)}`, 'g'),
    '',
  ];
  const replacements = [...SECRET_PATTERNS, own, ...folders];
  // Most lines contain none of them. Looking for each is quicker than one pattern for all.
  const signs = [...SIGNS_OF_SECRETS, PACKAGE_FOLDER, ...named.map(([, folder]) => folder)];
  return (line) =>
    signs.some((sign) => line.includes(sign)) || SCHEME.test(line)
      ? replacements.reduce((text, [pattern, instead]) => text.replace(pattern, instead), line)
      : line;
}

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
