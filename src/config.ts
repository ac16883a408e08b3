import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import ipaddr from 'ipaddr.js';
import { PreviewError } from './errors.ts';
import type { SigningKey } from './storage/signedUrl.ts';

/** An API key as it is kept: its SHA-256, and the project it belongs to. */
export interface ApiKey {
  projectId: string;
  sha256: Buffer;
}

export interface Config {
  redisUrl: string | undefined;
  queueName: string;
  concurrency: number;
  queueMax: number;
  dataDir: string;
  host: string;
  port: number;
  logLevel: string;
  /** Empty: no keys are asked for. */
  apiKeys: ApiKey[];
  /** Empty: one is made and kept in `dataDir`. */
  signingKeys: SigningKey[];
  urlTtlSeconds: number;
  jobTimeoutSeconds: number;
  shutdownGraceSeconds: number;
  uploadMaxBytes: number;
  assetAllowPrivate: string[];
}

type Environment = Record<string, string | undefined>;

interface Setting {
  name: string;
  /** As the documentation shows it. */
  fallback: string;
  description: string;
}

/** Every variable the service reads; `docs/configuration.md` shows the same table, and a test compares both. */
export const settings: readonly Setting[] = [
  {
    name: 'REDIS_URL',
    fallback: 'redis://127.0.0.1:6379',
    description:
      'Where the queue is: `redis://`, `rediss://` or `postgres://`. `serve` uses the embedded queue where it is not set.',
  },
  { name: 'PREVIEW_QUEUE_NAME', fallback: 'preview-jobs', description: 'Name of the queue.' },
  {
    name: 'PREVIEW_WORKER_CONCURRENCY',
    fallback: '2',
    description: 'Jobs that one worker renders at the same time, 1–64.',
  },
  {
    name: 'PREVIEW_QUEUE_MAX',
    fallback: '20',
    description: 'Jobs that may wait; above it POST answers 429.',
  },
  {
    name: 'DATA_DIR',
    fallback: './data',
    description: 'Folder of the embedded queue and the file system store.',
  },
  {
    name: 'HOST',
    fallback: '127.0.0.1',
    description: 'Address to listen on. Without API keys it must be a loopback address.',
  },
  { name: 'PORT', fallback: '3000', description: 'Port to listen on; 0 takes a free one.' },
  {
    name: 'LOG_LEVEL',
    fallback: 'info',
    description: '`trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`.',
  },
  {
    name: 'PREVIEW_API_KEYS',
    fallback: '–',
    description:
      '`projectId:key` list with commas, or `@file` with one on each line. A key is at least 16 characters long.',
  },
  {
    name: 'PREVIEW_SIGNING_KEYS',
    fallback: 'made and kept in `DATA_DIR`',
    description:
      '`kid:secret` list with commas; the first signs URLs, all verify. A secret is at least 32 bytes long.',
  },
  { name: 'PREVIEW_URL_TTL_SECONDS', fallback: '900', description: 'How long a signed URL is valid.' },
  {
    name: 'PREVIEW_JOB_TIMEOUT_SECONDS',
    fallback: '300',
    description: 'A render that takes longer is killed and tried again.',
  },
  {
    name: 'PREVIEW_SHUTDOWN_GRACE_SECONDS',
    fallback: '25',
    description: 'How long running jobs may go on after SIGTERM.',
  },
  {
    name: 'PREVIEW_UPLOAD_MAX_BYTES',
    fallback: '67108864',
    description: 'Largest upload, and largest asset fetched by URL.',
  },
  {
    name: 'PREVIEW_ASSET_ALLOW_PRIVATE',
    fallback: '–',
    description:
      'Networks in CIDR notation, with commas, from which assets may be fetched although they are not public.',
  },
];

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/**
 * Reads and checks the whole configuration.
 * @throws PreviewError `config_invalid`, listing every problem with its variable
 */
export function loadConfig(env: Environment): Config {
  const problems: string[] = [];
  const text = (name: string): string | undefined => env[name]?.trim() || undefined;
  const complain = (name: string, expected: string): void => {
    problems.push(`${name} must be ${expected}; see docs/configuration.md`);
  };
  const whole = (name: string, min: number, max: number): number => {
    const given = text(name) ?? settings.find((setting) => setting.name === name)?.fallback ?? '';
    const value = Number(given);
    if (!Number.isInteger(value) || value < min || value > max) {
      complain(name, `a whole number from ${min} to ${max}, not "${given}"`);
    }
    return value;
  };
  const pairs = (name: string, minBytes: number): [string, string][] =>
    list(name, text(name), complain).map((entry) => {
      const colon = entry.indexOf(':');
      if (colon < 1) complain(name, 'a list of name:secret pairs');
      if (Buffer.byteLength(entry) - colon - 1 < minBytes)
        complain(name, `made of secrets of at least ${minBytes} bytes`);
      return [entry.slice(0, colon), entry.slice(colon + 1)];
    });

  const config: Config = {
    redisUrl: text('REDIS_URL'),
    queueName: text('PREVIEW_QUEUE_NAME') ?? 'preview-jobs',
    concurrency: whole('PREVIEW_WORKER_CONCURRENCY', 1, 64),
    queueMax: whole('PREVIEW_QUEUE_MAX', 1, 1_000_000),
    dataDir: text('DATA_DIR') ?? './data',
    host: text('HOST') ?? '127.0.0.1',
    port: whole('PORT', 0, 65_535),
    logLevel: text('LOG_LEVEL') ?? 'info',
    apiKeys: pairs('PREVIEW_API_KEYS', 16).map(([projectId, key]) => ({ projectId, sha256: hashKey(key) })),
    signingKeys: pairs('PREVIEW_SIGNING_KEYS', 32).map(([id, secret]) => ({ id, secret })),
    urlTtlSeconds: whole('PREVIEW_URL_TTL_SECONDS', 1, 604_800),
    jobTimeoutSeconds: whole('PREVIEW_JOB_TIMEOUT_SECONDS', 1, 86_400),
    shutdownGraceSeconds: whole('PREVIEW_SHUTDOWN_GRACE_SECONDS', 0, 3600),
    uploadMaxBytes: whole('PREVIEW_UPLOAD_MAX_BYTES', 1024, 4_294_967_296),
    assetAllowPrivate: list('PREVIEW_ASSET_ALLOW_PRIVATE', text('PREVIEW_ASSET_ALLOW_PRIVATE'), complain),
  };
  if (config.redisUrl && !/^(rediss?|postgres(ql)?):\/\//.test(config.redisUrl)) {
    complain('REDIS_URL', 'a redis://, rediss:// or postgres:// address');
  }
  if (!LOG_LEVELS.includes(config.logLevel)) complain('LOG_LEVEL', `one of ${LOG_LEVELS.join(', ')}`);
  for (const network of config.assetAllowPrivate) {
    if (!ipaddr.isValidCIDR(network))
      complain('PREVIEW_ASSET_ALLOW_PRIVATE', `a list of networks like 10.1.0.0/16, not "${network}"`);
  }
  if (config.apiKeys.length === 0 && !isLoopback(config.host)) {
    problems.push(
      `HOST is ${config.host}, which others can reach, and there are no API keys: set PREVIEW_API_KEYS=projectId:key, or HOST=127.0.0.1; see docs/configuration.md`,
    );
  }
  if (problems.length > 0) throw new PreviewError('config_invalid', problems.join('\n'));
  return config;
}

export function hashKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

function list(
  name: string,
  value: string | undefined,
  complain: (name: string, expected: string) => void,
): string[] {
  let content = value ?? '';
  if (content.startsWith('@')) {
    try {
      content = readFileSync(content.slice(1), 'utf8');
    } catch {
      complain(name, 'a list, or @ and the name of a file that can be read');
      return [];
    }
  }
  return content
    .split(/[,\n]/)
    .map((entry) => entry.trim())
    .filter(Boolean);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || (ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback');
}
