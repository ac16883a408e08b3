import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { PreviewError } from '../errors.ts';
import type { Asset, PreviewJob } from '../job/previewJob.types.ts';
import type { ArtifactStore, StoredObject } from '../storage/artifactStore.ts';
import type { AssetFetcher } from './fetchAsset.ts';
import { describeUnknown, type MediaFormat, mediaFormats, SNIFF_BYTES, sniffFormat } from './sniff.ts';

/** An asset whose bytes are in the store and are of the type that the job says. */
export interface ResolvedAsset {
  id: string;
  type: 'image' | 'audio' | 'video';
  format: MediaFormat;
  sha256: string;
  bytes: number;
}

export interface AssetSources {
  store: ArtifactStore;
  /** Absent where URLs are not fetched. */
  fetcher?: AssetFetcher;
  /** `path` sources are read below this folder; absent where they are refused. */
  baseFolder?: string;
  maxBytes: number;
  signal: AbortSignal;
}

const AT_ONCE = 4;

/**
 * Brings the assets that a job refers to into the store.
 * @throws PreviewError `asset_*`, naming the asset
 */
export async function resolveAssets(job: PreviewJob, sources: AssetSources): Promise<ResolvedAsset[]> {
  const used = referencedIds(job);
  const wanted = job.previewRequest.assets.filter((asset) => used.has(asset.id));
  const resolved: ResolvedAsset[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let i = next++; i < wanted.length; i = next++) {
      const asset = wanted[i];
      if (asset) resolved[i] = await resolveAsset(asset, sources);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return resolved;
}

function referencedIds({ previewRequest }: PreviewJob): Set<string> {
  const { steps, audio } = previewRequest;
  const ids = [
    ...steps.flatMap((step) => [step.asset, step.narration]),
    audio.music?.asset,
    audio.narration?.asset,
  ];
  return new Set(ids.filter((id) => id !== undefined));
}

async function resolveAsset(asset: Asset, sources: AssetSources): Promise<ResolvedAsset> {
  const object = await bringIn(asset, sources).catch((error: unknown) => {
    if (!(error instanceof PreviewError) || !error.code.startsWith('asset_')) throw error;
    throw new PreviewError(error.code, `Asset "${asset.id}": ${error.message}`, { cause: error });
  });
  if (object.bytes === 0) throw new PreviewError('asset_empty', `Asset "${asset.id}" has no bytes.`);
  const format = await checkType(asset, object, sources.store);
  return { id: asset.id, type: asset.type, format, ...object };
}

async function bringIn(asset: Asset, sources: AssetSources): Promise<StoredObject> {
  const { store } = sources;
  const sha256 = asset.upload ?? asset.sha256;
  const known = sha256 && (await store.statObject(sha256));
  if (known) return known;
  if (asset.upload !== undefined) {
    throw new PreviewError(
      'asset_missing',
      `${asset.upload} has not been uploaded; send it to POST /api/assets first.`,
    );
  }
  const bytes = await openSource(asset, sources);
  return store.putObject(bytes, {
    maxBytes: sources.maxBytes,
    ...(asset.sha256 ? { sha256: asset.sha256 } : {}),
  });
}

async function openSource(
  asset: Asset,
  { fetcher, baseFolder, signal }: AssetSources,
): Promise<Uint8Array | AsyncIterable<Uint8Array>> {
  if (asset.data !== undefined) return Buffer.from(asset.data.slice(asset.data.indexOf(',') + 1), 'base64');
  if (asset.path !== undefined) return openFile(asset.path, baseFolder);
  if (asset.url !== undefined && fetcher) return fetcher(asset.url, signal);
  throw new PreviewError('asset_missing', 'it has no source that can be read here.');
}

/** Opens a file below the job's own folder; links that lead out of it are refused. */
async function openFile(path: string, baseFolder: string | undefined): Promise<AsyncIterable<Uint8Array>> {
  if (baseFolder === undefined) {
    throw new PreviewError(
      'asset_address_refused',
      '"path" is read by the command line only; upload the file.',
    );
  }
  const base = await realpath(baseFolder);
  const file = await realpath(resolve(base, path)).catch((cause: unknown) => {
    throw new PreviewError('asset_missing', `the file ${path} is not there.`, { cause });
  });
  if (!file.startsWith(base + sep)) {
    throw new PreviewError('asset_address_refused', `the file ${path} is not below the job's folder.`);
  }
  if (!(await stat(file)).isFile()) throw new PreviewError('asset_missing', `${path} is not a file.`);
  return createReadStream(file);
}

async function checkType(asset: Asset, object: StoredObject, store: ArtifactStore): Promise<MediaFormat> {
  const stream = await store.openObject(object.sha256, {
    start: 0,
    end: Math.min(SNIFF_BYTES, object.bytes) - 1,
  });
  const head = Buffer.concat(await stream.toArray());
  const format = sniffFormat(head);
  // An MP4 may hold sound alone.
  const fits =
    format && (mediaFormats[format].kind === asset.type || (asset.type === 'audio' && format === 'mp4'));
  if (format && fits) return format;
  const found = format ? mediaFormats[format].mediaType : describeUnknown(head);
  const accepted = Object.entries(mediaFormats).filter(([, { kind }]) => kind === asset.type);
  throw new PreviewError(
    'asset_type_unsupported',
    `Asset "${asset.id}" is declared as ${asset.type}, but its bytes are ${found}; send ${accepted.map(([name]) => name).join(', ')}.`,
  );
}
