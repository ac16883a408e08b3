import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startServe } from '../app.ts';
import { loadConfig } from '../config.ts';
import { PreviewError } from '../errors.ts';
import type { Artifact, StageTimings } from '../job/jobRecord.ts';
import type { PreviewJob } from '../job/previewJob.types.ts';
import { createLogger } from '../logger.ts';
import type { JobStatus } from '../worker/previewWorkerClient.ts';
import { artifactTable, formatBytes, showProgress, timingLine } from './display.ts';
import { readJobFile } from './jobFile.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/pour-over-coffee/', import.meta.url));
const OUT = 'demo-output';
const POLL_MS = 100;
const GIVE_UP_MS = 300_000;

type SignedArtifact = Artifact & { url: string };
type PostedJob = JobStatus & { links: { status: string; artifacts: string } };

/** Does over HTTP what a client program does: upload, post, follow, download, check. */
export async function demo(signal: AbortSignal): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'preview-demo-'));
  const config = loadConfig({
    DATA_DIR: dataDir,
    PORT: '0',
    LOG_LEVEL: 'warn',
    // When somebody interrupts the demo, its job need not finish.
    PREVIEW_SHUTDOWN_GRACE_SECONDS: '0',
  });
  try {
    const app = await timed(
      () => startServe(config, createLogger(config.logLevel)),
      ({ url }) => `Started the service on ${url}, with the embedded queue`,
    );
    try {
      await renderExample(createCaller(app.url ?? '', signal), signal);
    } finally {
      await app.stop();
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function renderExample(call: Call, signal: AbortSignal): Promise<void> {
  const example = await readJobFile(join(EXAMPLE, 'job.json'));
  const job = await timed(
    () => uploadAssets(call, example),
    ({ previewRequest }) => `Uploaded ${previewRequest.assets.length} pictures and sounds`,
  );
  const ended = await timed(
    async () => {
      const posted = await call<PostedJob>('/api/preview/job', job);
      console.log(`Posted job "${posted.jobId}" with ${job.previewRequest.steps.length} steps`);
      await watch(call, posted.links.status, signal);
      return posted;
    },
    () => 'Rendered',
  );
  const { artifacts } = await call<{ artifacts: SignedArtifact[] }>(ended.links.artifacts);
  await timed(
    () => download(call, artifacts),
    (bytes) => `Downloaded ${artifacts.length} artifacts through their signed URLs, ${formatBytes(bytes)}`,
  );
  const manifest = JSON.parse(await readFile(join(OUT, 'manifest.json'), 'utf8')) as {
    durationSeconds: number;
    stats: { stages: StageTimings };
  };
  console.log(`\n${artifactTable(artifacts, 'digest ok')}\n`);
  console.log(timingLine(manifest.stats.stages));
  console.log(`\nThe video (${manifest.durationSeconds.toFixed(1)} s) is ${resolve(OUT, 'preview.mp4')}`);
}

/** Does something, then prints a line about it with the time it took. */
async function timed<Result>(work: () => Promise<Result>, say: (result: Result) => string): Promise<Result> {
  const started = performance.now();
  const result = await work();
  console.log(`${say(result)}  (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  return result;
}

/** Sends every file that the job names by path; the returned job names them by digest instead. */
async function uploadAssets(call: Call, job: PreviewJob): Promise<PreviewJob> {
  const assets = await Promise.all(
    job.previewRequest.assets.map(async ({ path = '', ...asset }) => {
      const { sha256 } = await call<{ sha256: string }>('/api/assets', await readFile(join(EXAMPLE, path)));
      return { ...asset, upload: sha256 };
    }),
  );
  return { ...job, previewRequest: { ...job.previewRequest, assets } };
}

/** Follows the job's status to its end. */
async function watch(call: Call, statusPath: string, signal: AbortSignal): Promise<void> {
  const display = showProgress();
  const deadline = Date.now() + GIVE_UP_MS;
  try {
    while (Date.now() < deadline) {
      const { status, progress, error } = await call<JobStatus>(statusPath);
      display.show(progress);
      if (status === 'completed') return;
      if (error) throw new PreviewError(error.code, error.message);
      await sleep(POLL_MS, undefined, { signal });
    }
    throw new PreviewError('render_timeout', `The job did not end within ${GIVE_UP_MS / 1000} s.`);
  } finally {
    display.stop();
  }
}

/** Writes every artifact into {@link OUT} once its digest is checked; answers how many bytes they have. */
async function download(call: Call, artifacts: readonly SignedArtifact[]): Promise<number> {
  await mkdir(OUT, { recursive: true });
  let total = 0;
  for (const { name, url, sha256 } of artifacts) {
    const bytes = await call.bytes(url);
    if (createHash('sha256').update(bytes).digest('hex') !== sha256) {
      throw new PreviewError(
        'asset_digest_mismatch',
        `${name} does not have the digest that the service named.`,
      );
    }
    await writeFile(join(OUT, name), bytes);
    total += bytes.length;
  }
  return total;
}

/** Calls the service: GET, or POST where there is a body, which is a file or becomes JSON. */
interface Call {
  <Answer>(path: string, body?: unknown): Promise<Answer>;
  bytes(path: string): Promise<Buffer>;
}

function createCaller(base: string, signal: AbortSignal): Call {
  const send = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const response = await fetch(base + path, { ...init, signal });
    if (response.ok) return response;
    throw new PreviewError('internal', `The service answered ${response.status}: ${await response.text()}`);
  };
  const call = async <Answer>(path: string, body?: unknown): Promise<Answer> =>
    (await (await send(path, body === undefined ? {} : post(body))).json()) as Answer;
  return Object.assign(call, {
    bytes: async (path: string) => Buffer.from(await (await send(path)).arrayBuffer()),
  });
}

const post = (body: unknown): RequestInit =>
  body instanceof Uint8Array
    ? { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: Buffer.from(body) }
    : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
