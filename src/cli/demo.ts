import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startServe } from '../app.ts';
import { loadConfig } from '../config.ts';
import { PreviewError } from '../errors.ts';
import type { Artifact, Progress, StageTimings } from '../job/jobRecord.ts';
import type { PreviewJob } from '../job/previewJob.types.ts';
import { createLogger } from '../logger.ts';
import { artifactTable, progressBar, timingLine } from './display.ts';
import { readJobFile } from './jobFile.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/pour-over-coffee/', import.meta.url));
const OUT = 'demo-output';
const POLL_MS = 100;
const GIVE_UP_MS = 300_000;

/** The main job as a customer's program does it: upload, post, watch, download, check. Everything over HTTP. */
export async function demo(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'preview-demo-'));
  const config = loadConfig({ DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'warn' });
  console.log('Starting the service with the embedded queue …');
  const app = await startServe(config, createLogger(config.logLevel));
  try {
    const base = app.url ?? '';
    console.log(`It listens on ${base}`);
    const job = await uploadAssets(base, await readJobFile(join(EXAMPLE, 'job.json')));
    const started = performance.now();
    const posted = await call<{ links: { status: string; artifacts: string } }>(
      base,
      '/api/preview/job',
      job,
    );
    console.log(`Posted job "${job.jobId}" with ${job.previewRequest.steps.length} steps`);
    await watch(base, posted.links.status);
    console.log(`Completed ${((performance.now() - started) / 1000).toFixed(1)} s after it was posted`);
    const { artifacts } = await call<{ artifacts: (Artifact & { url: string })[] }>(
      base,
      posted.links.artifacts,
    );
    await download(base, artifacts);
    console.log(artifactTable(artifacts, '  digest ok'));
    const manifest = JSON.parse(await readFile(join(OUT, 'manifest.json'), 'utf8')) as {
      durationSeconds: number;
      stats: { stages: StageTimings };
    };
    console.log(timingLine(manifest.stats.stages));
    console.log(`The video (${manifest.durationSeconds.toFixed(1)} s) is ${resolve(OUT, 'preview.mp4')}`);
  } finally {
    await app.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Sends every file that the job names by path, and names it by digest instead. */
async function uploadAssets(base: string, job: PreviewJob): Promise<PreviewJob> {
  const assets = await Promise.all(
    job.previewRequest.assets.map(async ({ path = '', ...asset }) => {
      const body = await readFile(join(EXAMPLE, path));
      const response = await fetch(`${base}/api/assets`, { method: 'POST', body });
      const { sha256 } = await answerOf<{ sha256: string }>(response);
      return { ...asset, upload: sha256 };
    }),
  );
  console.log(`Uploaded ${assets.length} assets`);
  return { ...job, previewRequest: { ...job.previewRequest, assets } };
}

async function watch(base: string, statusPath: string): Promise<void> {
  const bar = progressBar();
  const deadline = Date.now() + GIVE_UP_MS;
  try {
    while (Date.now() < deadline) {
      const status = await call<{ status: string; progress: Progress; error?: { message: string } }>(
        base,
        statusPath,
      );
      bar.show(status.progress);
      if (status.status === 'completed') return;
      if (status.error) throw new PreviewError('render_failed', status.error.message);
      await new Promise((next) => setTimeout(next, POLL_MS));
    }
    throw new PreviewError('render_timeout', `The job did not end within ${GIVE_UP_MS / 1000} s.`);
  } finally {
    bar.stop();
  }
}

async function download(base: string, artifacts: readonly (Artifact & { url: string })[]): Promise<void> {
  await mkdir(OUT, { recursive: true });
  for (const { name, url, sha256 } of artifacts) {
    const response = await fetch(base + url);
    if (!response.ok)
      throw new PreviewError('artifact_not_found', `${name} was answered with ${response.status}.`);
    const bytes = Buffer.from(await response.arrayBuffer());
    const digest = createHash('sha256').update(bytes).digest('hex');
    if (digest !== sha256)
      throw new PreviewError('asset_digest_mismatch', `${name} arrived with other bytes.`);
    await writeFile(join(OUT, name), bytes);
  }
}

/** GET, or POST where there is a body. */
async function call<Answer>(base: string, path: string, body?: unknown): Promise<Answer> {
  const post = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  return answerOf<Answer>(await fetch(base + path, body === undefined ? {} : post));
}

async function answerOf<Answer>(response: Response): Promise<Answer> {
  const answer = await response.json();
  if (!response.ok) throw new PreviewError('render_failed', `The service answered ${JSON.stringify(answer)}`);
  return answer as Answer;
}
