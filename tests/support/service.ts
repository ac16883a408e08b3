import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServe } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import { createLogger, type Logger } from '../../src/logger.ts';
import { eventually } from './eventually.ts';
import { placeDatabase } from './placeDatabase.ts';
import { anyBackend, startQueueBackend } from './queueBackends.ts';
import { keepSecret, keepSecretsOf, suiteLog } from './suiteLog.ts';

export { smallJob } from './smallJob.ts';

export interface Answer<Body = Record<string, unknown>> {
  status: number;
  headers: Headers;
  body: Body;
}

export interface Service {
  url: string;
  dataDir: string;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  post(path: string, body: unknown): Promise<Answer>;
  upload(bytes: Uint8Array): Promise<Answer>;
  cancel(path: string): Promise<Answer>;
  /** Waits for a job to end. */
  ended(jobId: string): Promise<Record<string, unknown>>;
  stop(): Promise<void>;
}

/** Where the embedded queue is part of what is tested. */
export const EMBEDDED = { REDIS_URL: undefined };

/** The real service in this process, with a data folder and a queue of its own; REDIS_URL says where else the queue is. */
export async function startService(
  given: Record<string, string | undefined> = {},
  logger: Logger = createLogger('trace', { destination: suiteLog('service') }),
): Promise<Service> {
  const dataDir = await mkdtemp(join(tmpdir(), 'preview-test-'));
  const queue = 'REDIS_URL' in given ? undefined : await startQueueBackend(anyBackend);
  const env = queue ? { ...given, REDIS_URL: queue.url } : given;
  keepSecretsOf({ DATA_DIR: dataDir, ...env });
  if (!env.REDIS_URL) await placeDatabase(dataDir);
  const config = loadConfig({ DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'silent', ...env });
  const app = await startServe(config, logger);
  const url = app.url ?? '';
  const answer = async (response: Response): Promise<Answer> => {
    const text = await response.text();
    for (const [, signature = ''] of `${text}${response.headers.get('location')}`.matchAll(
      /signature=([\w-]+)/g,
    ))
      keepSecret('the signature of a URL', signature);
    if (response.status >= 400) suiteLog('problems').write(text);
    const isJson = response.headers.get('content-type')?.includes('json');
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : { text } };
  };
  const service: Service = {
    url,
    dataDir,
    get: async (path, headers = {}) => answer(await fetch(url + path, { headers, redirect: 'manual' })),
    post: async (path, body) =>
      answer(
        await fetch(url + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        }),
      ),
    upload: async (bytes) =>
      answer(await fetch(`${url}/api/assets`, { method: 'POST', body: Buffer.from(bytes) })),
    cancel: async (path) => answer(await fetch(url + path, { method: 'DELETE' })),
    ended: (jobId) =>
      eventually(async () => {
        const { body } = await service.get(`/api/preview/job/${jobId}/status`);
        return ['completed', 'failed', 'cancelled'].includes(String(body.status)) ? body : undefined;
      }, `the end of job ${jobId}`),
    async stop() {
      for (const path of ['/metrics', '/openapi.json'])
        suiteLog('pages').write(await (await fetch(url + path)).text());
      await app.stop();
      await queue?.stop();
      const own = await readFile(join(dataDir, 'signing-key.json'), 'utf8').catch(() => '{}');
      keepSecret('signing-key.json', (JSON.parse(own) as { secret?: string }).secret ?? '');
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  return service;
}
