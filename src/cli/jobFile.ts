import { createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createFetcher, openSandbox, storeFolder } from '../app/renderParts.ts';
import { loadAssets } from '../assets/resolveAssets.ts';
import type { Config } from '../config.ts';
import { PreviewError } from '../errors.ts';
import { parseJson } from '../job/parseJson.ts';
import type { PreviewJob } from '../job/previewJob.types.ts';
import { validatePreviewPayload } from '../job/validatePreviewPayload.ts';
import type { RenderResult } from '../render/renderPreview.ts';
import type { ArtifactStore } from '../storage/artifactStore.ts';
import { createFsStore } from '../storage/folder/fsStore.ts';
import { createRenderPool } from '../worker/renderProcess/renderProcess.ts';
import { artifactTable, showProgress, timingLine } from './display.ts';

/**
 * Reads and checks a job file.
 * @throws PreviewError `invalid_request` where there is no such file, `invalid_json` with line and column,
 *   `invalid_payload` with its errors
 */
export async function readJobFile(file: string): Promise<PreviewJob> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new PreviewError('invalid_request', `${file} cannot be read; check the name of the job file.`, {
      cause,
    });
  });
  const parsed = parseJson(text);
  if (!parsed.ok) {
    const { line, column, expected } = parsed;
    const place = `${file}:${line}:${column}`;
    throw new PreviewError('invalid_json', `${place}: not valid JSON, ${expected} was expected here.`);
  }
  const checked = validatePreviewPayload(parsed.value);
  if (!checked.ok) throw new PreviewError('invalid_payload', undefined, { errors: checked.errors });
  return checked.job;
}

export async function validateFile(file: string): Promise<void> {
  const { steps, assets } = (await readJobFile(file)).previewRequest;
  console.log(`${file} is valid: ${steps.length} steps, ${assets.length} assets`);
}

/**
 * Renders without a queue, in the same kind of child process as the service. Parts are kept in DATA_DIR, so that the
 * next render of a changed job makes only what changed.
 */
export async function renderFile(
  file: string,
  out: string,
  config: Config,
  signal: AbortSignal,
): Promise<void> {
  const job = await readJobFile(file);
  const store = await createFsStore(storeFolder(config));
  const result = await render(job, dirname(file), store, config, signal);
  await mkdir(out, { recursive: true });
  for (const { name, sha256 } of result.artifacts) {
    await pipeline(await store.openObject(sha256), createWriteStream(join(out, name)));
  }
  console.log(artifactTable(result.artifacts));
  for (const warning of result.warnings) console.log(`  warning: ${warning.message}`);
  console.log(timingLine(result.timings));
  console.log(`The preview is in ${out}`);
}

async function render(
  job: PreviewJob,
  baseFolder: string,
  store: ArtifactStore,
  config: Config,
  signal: AbortSignal,
): Promise<RenderResult> {
  const pool = createRenderPool(storeFolder(config), {
    fontsFolder: config.fontsDir,
    sandbox: openSandbox(config),
  });
  const display = showProgress();
  try {
    const assets = await loadAssets(job, {
      store,
      signal,
      baseFolder,
      fetcher: createFetcher(config),
      maxBytes: config.uploadMaxBytes,
    });
    const timeoutMs = config.jobTimeoutSeconds * 1000;
    return await pool.render({ job, assets }, { signal, timeoutMs, onProgress: display.show });
  } finally {
    display.stop();
    await pool.close();
  }
}
