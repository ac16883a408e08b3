import ipaddr from 'ipaddr.js';
import type { ApiKey } from './apiKey.ts';
import {
  apiKeys,
  dnsServers,
  fieldPaths,
  hosts,
  matching,
  networks,
  oneOf,
  origins,
  otlpEndpoint,
  pairs,
  queueUrl,
  retention,
  storeUrl,
  Unexpected,
  webhookSecrets,
  whole,
} from './configValues.ts';
import { PreviewError } from './errors.ts';
import type { SigningKey } from './storage/signedUrls/signedUrl.ts';
import type { WebhookSecrets } from './worker/webhooks/webhookWorker.ts';

/** One variable of the environment: how it is called, read and explained. */
interface Setting<Value> {
  name: string;
  /** What is parsed where the variable is not set or empty. */
  fallback: string;
  /** The fallback in the documentation, where its text says too little. */
  fallbackInWords?: string;
  description: string;
  /** What was given is then never repeated. */
  secret?: boolean;
  /** @throws Unexpected */
  parse(text: string): Value;
}

const define = <Value>(setting: Setting<Value>): Setting<Value> => setting;

/** Every variable the service reads. `docs/configuration.md` shows the same table, and a test compares both. */
export const settings = {
  redisUrl: define({
    name: 'REDIS_URL',
    fallback: '',
    fallbackInWords: '`redis://127.0.0.1:6379`',
    description:
      'Where the queue is: `redis://`, `rediss://` or `postgres://`. `serve` uses the embedded queue where it is not set.',
    secret: true,
    parse: queueUrl,
  }),
  queueName: define({
    name: 'PREVIEW_QUEUE_NAME',
    fallback: 'preview-jobs',
    description: 'Name of the queue; API and workers that share a queue share its name.',
    parse: (text) => matching(text, /^[A-Za-z0-9._-]{1,64}$/, '1 to 64 of the characters A-Z a-z 0-9 . _ -'),
  }),
  concurrency: define({
    name: 'PREVIEW_WORKER_CONCURRENCY',
    fallback: '2',
    description: 'Jobs that one worker renders at the same time.',
    parse: (text) => whole(text, 1, 64),
  }),
  queueMax: define({
    name: 'PREVIEW_QUEUE_MAX',
    fallback: '20',
    description: 'Jobs that may wait; above it POST answers 429.',
    parse: (text) => whole(text, 1, 1_000_000),
  }),
  projectQueueMax: define({
    name: 'PREVIEW_PROJECT_QUEUE_MAX',
    fallback: '',
    fallbackInWords:
      'half of `PREVIEW_QUEUE_MAX` where `PREVIEW_API_KEYS` names several projects, else all of it',
    description: 'Jobs of one project that may wait; above it POST answers 429 to this project alone.',
    parse: (text) => (text === '' ? undefined : whole(text, 1, 1_000_000)),
  }),
  dataDir: define({
    name: 'DATA_DIR',
    fallback: './data',
    description: 'Folder of the embedded queue and of the file system store.',
    parse: (text) => text,
  }),
  storeUrl: define({
    name: 'STORE_URL',
    fallback: '',
    fallbackInWords: 'the folder `store` in `DATA_DIR`',
    description:
      'Where bytes are kept: `s3://bucket/prefix?region=eu-central-1`, with `&endpoint=https://…` for a server other than AWS. The keys come from `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or from the role of the machine.',
    parse: storeUrl,
  }),
  downloads: define({
    name: 'PREVIEW_DOWNLOADS',
    fallback: 'proxy',
    description:
      'How files of a bucket are downloaded: `proxy`: through the API; `redirect`: the API answers a signed URL with 302 and an address of the bucket that is valid for as long. Segments of the stream go through the API either way.',
    parse: (text): 'proxy' | 'redirect' => oneOf(text, ['proxy', 'redirect']),
  }),
  host: define({
    name: 'HOST',
    fallback: '127.0.0.1',
    description: 'Address to listen on. Without API keys it must be a loopback address.',
    parse: (text) => text,
  }),
  port: define({
    name: 'PORT',
    fallback: '3000',
    description: 'Port to listen on; 0 takes a free one.',
    parse: (text) => whole(text, 0, 65_535),
  }),
  workerHost: define({
    name: 'PREVIEW_WORKER_HOST',
    fallback: '127.0.0.1',
    description:
      'Address on which `worker` answers probes and metrics, without a key; in a container `0.0.0.0`.',
    parse: (text) => text,
  }),
  workerPort: define({
    name: 'PREVIEW_WORKER_PORT',
    fallback: '9464',
    description:
      'Port on which `worker` answers `/metrics`, `/livez`, `/readyz` and `/api/preview/worker/health`; 0 takes a free one. `serve` and `api` answer them on `PORT`.',
    parse: (text) => whole(text, 0, 65_535),
  }),
  logLevel: define({
    name: 'LOG_LEVEL',
    fallback: 'info',
    description: '`trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`.',
    parse: (text) =>
      matching(
        text,
        /^(trace|debug|info|warn|error|fatal|silent)$/,
        'trace, debug, info, warn, error, fatal or silent',
      ),
  }),
  logFormat: define({
    name: 'LOG_FORMAT',
    fallback: 'auto',
    description: '`json`: a line an event; `pretty`: coloured, for people; `auto`: pretty in a terminal.',
    parse: (text): 'auto' | 'json' | 'pretty' => oneOf(text, ['auto', 'json', 'pretty']),
  }),
  logRedact: define({
    name: 'LOG_REDACT',
    fallback: '',
    fallbackInWords: 'none',
    description:
      'Fields of a log line, with commas, whose values are written as `[redacted]`: `projectId,err.message`. Keys, secrets and passwords always are.',
    parse: fieldPaths,
  }),
  otlpEndpoint: define({
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    fallback: '',
    fallbackInWords: 'none: nothing is traced',
    description:
      'OpenTelemetry collector to which traces are sent, as OTLP over HTTP: `http://collector:4318`.',
    parse: otlpEndpoint,
  }),
  apiKeys: define<ApiKey[]>({
    name: 'PREVIEW_API_KEYS',
    fallback: '',
    fallbackInWords: 'none: no key is asked for',
    description:
      '`projectId:key` list with commas, or `@file` with one on each line, which is read again on SIGHUP. A key has at least 16 characters and opens its project only. `projectId/read+submit:key` gives it some of the scopes `submit`, `read` and `operate`; without them it has all.',
    secret: true,
    parse: apiKeys,
  }),
  apiKey: define({
    name: 'PREVIEW_API_KEY',
    fallback: '',
    fallbackInWords: 'none',
    description: 'The key that the command line sends to a running service.',
    secret: true,
    parse: (text) => text || undefined,
  }),
  ratePerKey: define({
    name: 'PREVIEW_RATE_PER_KEY',
    fallback: '6000',
    description:
      'Calls that one API key may make in a minute; above it they are answered with 429 and `Retry-After`. 0: no limit.',
    parse: (text) => whole(text, 0, 10_000_000),
  }),
  ratePerAddress: define({
    name: 'PREVIEW_RATE_PER_ADDRESS',
    fallback: '6000',
    description:
      'The same for one address, with a key or without; IPv6 addresses count by /64. Probes are left out. 0: no limit. Without API keys there is none.',
    parse: (text) => whole(text, 0, 10_000_000),
  }),
  trustedProxies: define({
    name: 'PREVIEW_TRUSTED_PROXIES',
    fallback: '',
    fallbackInWords: 'none: the address is the one of the connection',
    description:
      'Networks of your reverse proxies in CIDR notation, with commas; from them `X-Forwarded-For` says who calls.',
    parse: networks,
  }),
  signingKeys: define<SigningKey[]>({
    name: 'PREVIEW_SIGNING_KEYS',
    fallback: '',
    fallbackInWords: 'one is made and kept in `DATA_DIR`',
    description:
      '`kid:secret` list with commas, or `@file` with one on each line. The first signs URLs, all verify. A secret has at least 32 bytes.',
    secret: true,
    parse: (text) => pairs(text, 'kid:secret', 32).map(([id, secret]) => ({ id, secret })),
  }),
  urlTtlSeconds: define({
    name: 'PREVIEW_URL_TTL_SECONDS',
    fallback: '900',
    description: 'How long a signed URL is valid.',
    parse: (text) => whole(text, 1, 604_800),
  }),
  fontsDir: define<string | undefined>({
    name: 'PREVIEW_FONTS_DIR',
    fallback: '',
    fallbackInWords: 'none',
    description:
      'A folder with TTF or OTF fonts for scripts that the package has none for, such as Chinese, Japanese, Korean; every worker needs the same. Without it `@expo-google-fonts/noto-sans-sc`, `-jp`, `-kr` and so on are found where they are installed.',
    parse: (text) => (text === '' ? undefined : text),
  }),
  jobTimeoutSeconds: define({
    name: 'PREVIEW_JOB_TIMEOUT_SECONDS',
    fallback: '300',
    description: 'A render that takes longer is killed and tried again.',
    parse: (text) => whole(text, 1, 86_400),
  }),
  renderMemoryBytes: define({
    name: 'PREVIEW_RENDER_MEMORY_BYTES',
    fallback: '1610612736',
    description:
      'Most memory that one render process may have; a job that needs more fails. There is one for each job that runs, and up to two in the API. See [security.md](security.md).',
    parse: (text) => whole(text, 268_435_456, 1_099_511_627_776),
  }),
  shutdownGraceSeconds: define({
    name: 'PREVIEW_SHUTDOWN_GRACE_SECONDS',
    fallback: '25',
    description:
      'How long a stop may take after SIGTERM or SIGINT, at least 3. Jobs that still run three seconds before its end go back to the queue.',
    parse: (text) => whole(text, 0, 3600),
  }),
  uploadMaxBytes: define({
    name: 'PREVIEW_UPLOAD_MAX_BYTES',
    fallback: '67108864',
    description: 'Largest upload, and largest asset that is fetched or read.',
    parse: (text) => whole(text, 1024, 4_294_967_296),
  }),
  uploadQuotaBytes: define({
    name: 'PREVIEW_UPLOAD_QUOTA_BYTES',
    fallback: '10737418240',
    description:
      'Bytes that the uploads of one project may have together; above it POST /api/assets answers 413. 0: no limit.',
    parse: (text) => whole(text, 0, Number.MAX_SAFE_INTEGER),
  }),
  retention: define({
    name: 'PREVIEW_RETENTION_DAYS',
    fallback: '',
    fallbackInWords: 'none: everything is kept',
    description:
      'Days that how a job ended and what it made are kept; `30`, or `30,docs:7,shop:90` where projects differ. See [storage.md](storage.md).',
    parse: retention,
  }),
  corsOrigins: define({
    name: 'PREVIEW_CORS_ORIGINS',
    fallback: '',
    fallbackInWords: 'none',
    description:
      'Origins whose pages may call the API from a browser, with commas: `https://editor.example.org,http://localhost:5173`.',
    parse: origins,
  }),
  assetAllowPrivate: define({
    name: 'PREVIEW_ASSET_ALLOW_PRIVATE',
    fallback: '',
    fallbackInWords: 'none',
    description:
      'Networks in CIDR notation, with commas, from which assets may be fetched although they are not public.',
    parse: networks,
  }),
  assetAllowHosts: define({
    name: 'PREVIEW_ASSET_ALLOW_HOSTS',
    fallback: '',
    fallbackInWords: 'all',
    description:
      'Hosts from which assets are fetched, with commas: `cdn.example.org`, or `*.example.org` for all names below it.',
    parse: hosts,
  }),
  denyHosts: define({
    name: 'PREVIEW_DENY_HOSTS',
    fallback: '',
    fallbackInWords: 'none',
    description: 'Hosts to which neither assets nor webhooks lead, written in the same way. It wins.',
    parse: hosts,
  }),
  dnsServers: define({
    name: 'PREVIEW_DNS_SERVERS',
    fallback: '',
    fallbackInWords: 'as the operating system does',
    description:
      'DNS servers that are asked for the hosts of assets and webhooks, with commas: `10.0.0.53` or `10.0.0.53:5353`. The hosts file is not read then.',
    parse: dnsServers,
  }),
  webhookSecrets: define<WebhookSecrets>({
    name: 'PREVIEW_WEBHOOK_SECRETS',
    fallback: '',
    fallbackInWords: 'none: jobs with a `webhook` are refused',
    description:
      '`projectId:secret` list with commas, or `@file` with one on each line. A secret is `whsec_` and the base64 of 24 to 64 bytes; with several of a project a webhook is signed by each. See [webhooks.md](webhooks.md).',
    secret: true,
    parse: webhookSecrets,
  }),
  webhookAllowPrivate: define({
    name: 'PREVIEW_WEBHOOK_ALLOW_PRIVATE',
    fallback: '',
    fallbackInWords: 'none',
    description:
      'Networks in CIDR notation, with commas, to which webhooks may go although they are not public.',
    parse: networks,
  }),
  webhookAllowHosts: define({
    name: 'PREVIEW_WEBHOOK_ALLOW_HOSTS',
    fallback: '',
    fallbackInWords: 'all',
    description: 'Hosts to which webhooks go, written as in `PREVIEW_ASSET_ALLOW_HOSTS`.',
    parse: hosts,
  }),
};

/** The configuration: what each of the {@link settings} was parsed to. */
export type Config = {
  [Key in keyof typeof settings]: ReturnType<(typeof settings)[Key]['parse']>;
};

/**
 * Reads and checks the whole configuration.
 * @throws PreviewError `config_invalid`, a line for each problem
 */
export function loadConfig(env: Record<string, string | undefined>): Config {
  const problems: string[] = [];
  const read = ({ name, fallback, secret, parse }: Setting<unknown>): unknown => {
    const text = env[name]?.trim() || fallback;
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof Unexpected)) throw error;
      problems.push(`${name}${secret ? '' : ` is "${text}", but`} must be ${error.message}`);
      return undefined;
    }
  };
  // Each value has the type of its own parser; where one is missing, the problems are thrown below.
  const config = Object.fromEntries(
    Object.entries(settings).map(([key, setting]) => [key, read(setting)]),
  ) as Config;

  if (config.apiKeys?.length === 0 && !isLoopback(config.host)) {
    problems.push(
      `HOST is "${config.host}", which others can reach, and there are no API keys: ` +
        'set PREVIEW_API_KEYS=projectId:key, or HOST=127.0.0.1',
    );
  }
  if (config.downloads === 'redirect' && !env[settings.storeUrl.name]?.trim()) {
    problems.push(
      'PREVIEW_DOWNLOADS is "redirect", which needs a bucket: set STORE_URL, or PREVIEW_DOWNLOADS=proxy',
    );
  }
  if (problems.length > 0) {
    throw new PreviewError('config_invalid', `${problems.join('\n')}\nSee docs/configuration.md.`);
  }
  return config;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || (ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback');
}

/** Tells fontconfig, which runs in this process and reads its environment, to use this file and none of the machine's. */
export function useFontconfig(path: string): void {
  process.env.FONTCONFIG_FILE = path;
}
