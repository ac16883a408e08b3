import { homedir, tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
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
  /** Folders of this machine, by the names that are written instead: `{ DATA_DIR: '/srv/previews' }`. */
  places?: Readonly<Record<string, string>>;
  /** Where the lines go; stdout where it is left out. */
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
 * A path as `*.secret` is about what lies in an object. Pino follows it in every word and number too, which takes as long
 * as the rest of the line.
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
  /** Writes what was kept; pino asks for it after a fatal line. */
  flushSync?(): void;
}

let stdout: LogTarget | undefined;

/** One for the process, so that the lines of several loggers keep their order. */
function standardOutput(): LogTarget {
  stdout ??= gatherLines(pino.destination({ dest: 1, sync: true }));
  return stdout;
}

/** How long a line waits for others, and how many characters of them are enough. */
const GATHER_MS = 10;
const GATHER_MOST = 65_536;

/**
 * Writes lines together: a call of the operating system for each costs more than the line, and so does waking whoever reads
 * them. When the process ends, by itself or by an error that nobody has caught, what was gathered is still written; one
 * that is killed takes ten milliseconds of lines with it.
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
 * What is told of an error. Drivers hang all kinds of things onto theirs: ioredis the command with its arguments, which
 * may be a password or a whole job, the AWS SDK the request with its signature. None of that is.
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

/** Secrets by their looks, in whatever text they stand. */
const SECRET_PATTERNS: readonly [RegExp, string][] = [
  // The user info and the query of an address. A query may hold anything; what it was is seldom worth a line.
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/"'@\\?#]*@/gi, '$1[redacted]@'],
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/[^\s"'?#<>\\]+)\?[^\s"'#<>\\]*/gi, '$1?[redacted]'],
  // A signed URL without its host.
  [/\b((?:x-amz-)?(?:signature|credential|security-token)=)[^\s"'&\\]+/gi, '$1[redacted]'],
  [/\b((?:bearer|basic) )[A-Za-z0-9._~+/=-]{8,}/gi, '$1[redacted]'],
  [/\bwhsec_[A-Za-z0-9+/=]+/g, 'whsec_[redacted]'],
];
/** What none of them can do without: one of these, or a scheme of authentication. */
const SIGNS_OF_SECRETS = ['://', '=', 'whsec_'];
const SCHEME = /bearer |basic /i;

/** Where this package lies: the lines of a stack are written from there. */
const PACKAGE_FOLDER = fileURLToPath(new URL('..', import.meta.url));

/** Takes out of a line what no redaction by field can know: what libraries put into their texts. */
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
  // Most lines have nothing of it. To look for each is quicker than one pattern that has them all.
  const signs = [...SIGNS_OF_SECRETS, PACKAGE_FOLDER, ...named.map(([, folder]) => folder)];
  return (line) =>
    signs.some((sign) => line.includes(sign)) || SCHEME.test(line)
      ? replacements.reduce((text, [pattern, instead]) => text.replace(pattern, instead), line)
      : line;
}

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
