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

/** An environment variable: its name, its parser and its description. */
interface Setting<Value> {
  name: string;
  /** What is parsed if the variable is not set or empty. */
  fallback: string;
  /** How the documentation describes the fallback, if the value alone says too little. */
  fallbackInWords?: string;
  description: string;
  /** Error messages never repeat the value. */
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
      'Where the queue is: `redis://`, `rediss://` or `postgres://`. If it is not set, `serve` uses the embedded queue.',
    secret: true,
    parse: queueUrl,
  }),
  queueName: define({
    name: 'PREVIEW_QUEUE_NAME',
    fallback: 'preview-jobs',
    description: 'Name of the queue. API processes and workers of one service need the same name.',
    parse: (text) => matching(text, /^[A-Za-z0-9._-]{1,64}$/, '1 to 64 of the characters A-Z a-z 0-9 . _ -'),
  }),
  concurrency: define({
    name: 'PREVIEW_WORKER_CONCURRENCY',
    fallback: '2',
    description: 'How many jobs one worker renders at the same time.',
    parse: (text) => whole(text, 1, 64),
  }),
  queueMax: define({
    name: 'PREVIEW_QUEUE_MAX',
    fallback: '20',
    description: 'How many jobs may wait. When the queue is full, POST answers 429.',
    parse: (text) => whole(text, 1, 1_000_000),
  }),
  projectQueueMax: define({
    name: 'PREVIEW_PROJECT_QUEUE_MAX',
    fallback: '',
    fallbackInWords:
      'half of `PREVIEW_QUEUE_MAX` if `PREVIEW_API_KEYS` names several projects, else all of it',
    description: 'How many jobs of one project may wait. Beyond it POST answers 429 to this project only.',
    parse: (text) => (text === '' ? undefined : whole(text, 1, 1_000_000)),
  }),
  dataDir: define({
    name: 'DATA_DIR',
    fallback: './data',
    description: 'Folder of the embedded queue and of the store in the file system.',
    parse: (text) => text,
  }),
  storeUrl: define({
    name: 'STORE_URL',
    fallback: '',
    fallbackInWords: 'the folder `store` in `DATA_DIR`',
    description:
      'Bucket for the store: `s3://bucket/prefix?region=eu-central-1`, with `&endpoint=https://…` for a server other than AWS. The credentials come from `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or from the role of the machine.',
    parse: storeUrl,
  }),
  downloads: define({
    name: 'PREVIEW_DOWNLOADS',
    fallback: 'proxy',
    description:
      'How clients download files from a bucket. `proxy`: through the API. `redirect`: the API checks the signed URL and answers 302 with an address of the bucket that is valid for the rest of its time. Segments of the stream always come through the API.',
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
      'Address on which `worker` answers probes and metrics, without a key. In a container: `0.0.0.0`.',
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
    description:
      '`json`: one line of JSON for each event. `pretty`: coloured text. `auto`: `pretty` in a terminal, else `json`.',
    parse: (text): 'auto' | 'json' | 'pretty' => oneOf(text, ['auto', 'json', 'pretty']),
  }),
  logRedact: define({
    name: 'LOG_REDACT',
    fallback: '',
    fallbackInWords: 'none',
    description:
      'Fields of log lines whose values are replaced by `[redacted]`, separated by commas: `projectId,err.message`. Keys, secrets and passwords are always redacted.',
    parse: fieldPaths,
  }),
  otlpEndpoint: define({
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    fallback: '',
    fallbackInWords: 'none: no traces',
    description:
      'OpenTelemetry collector that receives the traces, as OTLP over HTTP: `http://collector:4318`.',
    parse: otlpEndpoint,
  }),
  apiKeys: define<ApiKey[]>({
    name: 'PREVIEW_API_KEYS',
    fallback: '',
    fallbackInWords: 'none: calls need no key',
    description:
      '`projectId:key` entries separated by commas, or `@file` with one entry on each line; SIGHUP reads the file again. A key has at least 16 characters and opens only its project. `projectId/read+submit:key` restricts it to some of the scopes `submit`, `read` and `operate`.',
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
      'Calls a minute with one API key. Beyond it they are answered with 429 and `Retry-After`. 0: no limit.',
    parse: (text) => whole(text, 0, 10_000_000),
  }),
  ratePerAddress: define({
    name: 'PREVIEW_RATE_PER_ADDRESS',
    fallback: '6000',
    description:
      'Calls a minute from one address, with or without a key. IPv6 addresses are counted by /64, probes are not counted. 0: no limit. Without API keys there is no limit.',
    parse: (text) => whole(text, 0, 10_000_000),
  }),
  trustedProxies: define({
    name: 'PREVIEW_TRUSTED_PROXIES',
    fallback: '',
    fallbackInWords: 'none: the caller is whoever opens the connection',
    description:
      "Networks of your reverse proxies in CIDR notation, separated by commas. For their connections the caller's address is taken from `X-Forwarded-For`.",
    parse: networks,
  }),
  signingKeys: define({
    name: 'PREVIEW_SIGNING_KEYS',
    fallback: '',
    fallbackInWords: 'the service makes one and keeps it in `DATA_DIR`',
    description:
      '`kid:secret` entries separated by commas, or `@file` with one entry on each line. The first key signs URLs, all of them verify. A secret has at least 32 bytes.',
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
      'Folder with TTF or OTF fonts for scripts that the package does not cover, such as Chinese, Japanese or Korean. Every worker needs the same fonts. Without it, the packages `@expo-google-fonts/noto-sans-sc`, `-jp`, `-kr` and so on are used if they are installed.',
    parse: (text) => (text === '' ? undefined : text),
  }),
  jobTimeoutSeconds: define({
    name: 'PREVIEW_JOB_TIMEOUT_SECONDS',
    fallback: '300',
    description: 'How long a render may take. After that it is killed and tried again.',
    parse: (text) => whole(text, 1, 86_400),
  }),
  renderMemoryBytes: define({
    name: 'PREVIEW_RENDER_MEMORY_BYTES',
    fallback: '1610612736',
    description:
      'How much memory one render process may use; a job that needs more fails. There is one process for each running job, and up to two in the API. See [security.md](security.md).',
    parse: (text) => whole(text, 268_435_456, 1_099_511_627_776),
  }),
  shutdownGraceSeconds: define({
    name: 'PREVIEW_SHUTDOWN_GRACE_SECONDS',
    fallback: '25',
    description:
      'How long a stop may take after SIGTERM or SIGINT; less than 3 counts as 3. Jobs that still run three seconds before the end go back to the queue.',
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
      'How many bytes the uploads of one project may take in all. Beyond it POST /api/assets answers 413. 0: no limit.',
    parse: (text) => whole(text, 0, Number.MAX_SAFE_INTEGER),
  }),
  retention: define({
    name: 'PREVIEW_RETENTION_DAYS',
    fallback: '',
    fallbackInWords: 'none: everything is kept',
    description:
      'How many days the records and artifacts of ended jobs are kept: `30`, or `30,docs:7,shop:90` if projects differ. See [storage.md](storage.md).',
    parse: retention,
  }),
  corsOrigins: define({
    name: 'PREVIEW_CORS_ORIGINS',
    fallback: '',
    fallbackInWords: 'none',
    description:
      'Origins whose pages may call the API from a browser, separated by commas: `https://editor.example.org,http://localhost:5173`.',
    parse: origins,
  }),
  assetAllowPrivate: define({
    name: 'PREVIEW_ASSET_ALLOW_PRIVATE',
    fallback: '',
    fallbackInWords: 'none',
    description: 'Private networks from which assets may be fetched, in CIDR notation, separated by commas.',
    parse: networks,
  }),
  assetAllowHosts: define({
    name: 'PREVIEW_ASSET_ALLOW_HOSTS',
    fallback: '',
    fallbackInWords: 'all',
    description:
      'The only hosts from which assets are fetched, separated by commas: `cdn.example.org`, or `*.example.org` for all names below it.',
    parse: hosts,
  }),
  denyHosts: define({
    name: 'PREVIEW_DENY_HOSTS',
    fallback: '',
    fallbackInWords: 'none',
    description:
      'Hosts that are never called, neither for assets nor for webhooks, written in the same way. They are refused even if another list allows them.',
    parse: hosts,
  }),
  dnsServers: define({
    name: 'PREVIEW_DNS_SERVERS',
    fallback: '',
    fallbackInWords: 'those of the operating system',
    description:
      'DNS servers for the hosts of assets and webhooks, separated by commas: `10.0.0.53` or `10.0.0.53:5353`. With it, the hosts file is not read.',
    parse: dnsServers,
  }),
  webhookSecrets: define({
    name: 'PREVIEW_WEBHOOK_SECRETS',
    fallback: '',
    fallbackInWords: 'none: jobs with a `webhook` are refused',
    description:
      '`projectId:secret` entries separated by commas, or `@file` with one entry on each line. A secret is `whsec_` and the base64 of 24 to 64 bytes. If a project has several, each of them signs. See [webhooks.md](webhooks.md).',
    secret: true,
    parse: webhookSecrets,
  }),
  webhookAllowPrivate: define({
    name: 'PREVIEW_WEBHOOK_ALLOW_PRIVATE',
    fallback: '',
    fallbackInWords: 'none',
    description: 'Private networks to which webhooks may be sent, in CIDR notation, separated by commas.',
    parse: networks,
  }),
  webhookAllowHosts: define({
    name: 'PREVIEW_WEBHOOK_ALLOW_HOSTS',
    fallback: '',
    fallbackInWords: 'all',
    description: 'The only hosts to which webhooks are sent, written as in `PREVIEW_ASSET_ALLOW_HOSTS`.',
    parse: hosts,
  }),
};

/** The configuration: what each of the {@link settings} was parsed to. */
export type Config = {
  [Key in keyof typeof settings]: ReturnType<(typeof settings)[Key]['parse']>;
};

/**
 * Reads and checks the whole configuration.
 * @throws PreviewError `config_invalid`, with one line for each problem
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
  // Each value has the type of its parser. If one is missing, the problems are thrown below.
  const config = Object.fromEntries(
    Object.entries(settings).map(([key, setting]) => [key, read(setting)]),
  ) as Config;

  if (config.apiKeys?.length === 0 && !isLoopback(config.host)) {
    problems.push(
      `HOST is "${config.host}", which other machines can reach, but there are no API keys: ` +
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

/** Makes fontconfig, which runs in this process and reads its environment, use this file instead of the machine's. */
export function useFontconfig(path: string): void {
  process.env.FONTCONFIG_FILE = path;
}
