import { createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createFetcher, storeFolder } from '../app.ts';
import { resolveAssets } from '../assets/resolveAssets.ts';
import type { Config } from '../config.ts';
import { PreviewError } from '../errors.ts';
import { parseJson } from '../job/parseJson.ts';
import type { PreviewJob } from '../job/previewJob.types.ts';
import { validatePreviewPayload } from '../job/validatePreviewPayload.ts';
import { createFsStore } from '../storage/fsStore.ts';
import { createRenderPool } from '../worker/renderProcess.ts';
import { artifactTable, progressBar, timingLine } from './display.ts';

/** Reads and checks a job file. @throws PreviewError `invalid_json` with line and column, `invalid_payload` */
export async function readJobFile(file: string): Promise<PreviewJob> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new PreviewError('invalid_request', `${file} cannot be read; give the name of a job file.`, {
      cause,
    });
  });
  const checked = validatePreviewPayload(parseJob(file, text));
  if (!checked.ok) throw new PreviewError('invalid_payload', undefined, { errors: checked.errors });
  return checked.job;
}

function parseJob(file: string, text: string): unknown {
  const parsed = parseJson(text);
  if (parsed.ok) return parsed.value;
  const { line, column, expected } = parsed;
  throw new PreviewError(
    'invalid_json',
    `${file}:${line}:${column}: not valid JSON; ${expected} was expected.`,
  );
}

export async function validateFile(file: string): Promise<void> {
  const job = await readJobFile(file);
  console.log(
    `${file} is valid: ${job.previewRequest.steps.length} steps, ${job.previewRequest.assets.length} assets`,
  );
}

/** Renders without a queue, in the same kind of child process as the service; Ctrl+C ends the child with us. */
export async function renderFile(file: string, out: string, config: Config): Promise<void> {
  const job = await readJobFile(file);
  const store = await createFsStore(storeFolder(config));
  const pool = createRenderPool(storeFolder(config));
  const bar = progressBar();
  const { signal } = new AbortController();
  try {
    const assets = await resolveAssets(job, {
      store,
      signal,
      fetcher: createFetcher(config),
      baseFolder: dirname(file),
      maxBytes: config.uploadMaxBytes,
    });
    const timeoutMs = config.jobTimeoutSeconds * 1000;
    const result = await pool.render({ job, assets }, { signal, timeoutMs, onProgress: bar.show });
    bar.stop();
    await mkdir(out, { recursive: true });
    for (const { name, sha256 } of result.artifacts) {
      await pipeline(await store.openObject(sha256), createWriteStream(join(out, name)));
    }
    console.log(artifactTable(result.artifacts));
    for (const warning of result.warnings) console.log(`warning: ${warning.message}`);
    console.log(timingLine(result.timings));
    console.log(`The preview is in ${out}`);
  } finally {
    bar.stop();
    await pool.close();
  }
}
