import { createHash } from 'node:crypto';
import { atOnce } from '../concurrency/atOnce.ts';
import { createTurns, type Turns } from '../concurrency/turns.ts';
import { PreviewError } from '../errors.ts';
import type { Asset, PreviewJob } from '../job/previewJob.types.ts';
import type { ArtifactStore, StoredObject } from '../storage/artifactStore.ts';
import { type AssetFetcher, hasValidators, type Validators } from './fetchAsset.ts';
import { openFile } from './openFile.ts';
import { describeUnknown, type MediaFormat, mediaFormats, SNIFF_BYTES, sniffFormat } from './sniff.ts';

/** An asset whose bytes are in the store and have the type that the job declares. */
export interface ResolvedAsset {
  id: string;
  type: 'image' | 'audio' | 'video';
  format: MediaFormat;
  sha256: string;
  bytes: number;
}

/** An asset that cannot be used, in a job that shows a placeholder instead. */
export interface FailedAsset {
  id: string;
  type: 'image' | 'audio' | 'video';
  /** Why, in a sentence. */
  failure: string;
}

export type LoadedAsset = ResolvedAsset | FailedAsset;

export interface AssetSources {
  store: ArtifactStore;
  /** Absent where URLs are not fetched. */
  fetcher?: AssetFetcher;
  /** `path` sources are read below this folder; absent where they are refused. */
  baseFolder?: string;
  maxBytes: number;
  /** What jobs of this process are fetching, by digest. Without it, a job only knows its own downloads. */
  turns?: Turns;
  /** What is known of the bytes of each digest. They never change, so they need not be read again. */
  formats?: Map<string, MediaFormat>;
  signal: AbortSignal;
}

/** The sources of one job's assets. */
interface OwnSources extends AssetSources {
  turns: Turns;
  projectId: string;
}

/** Enough to hide the latency of a few hosts; the files are streamed, so memory is not what limits it. */
const AT_ONCE = 4;
const REMEMBERED_FORMATS = 10_000;

/**
 * Brings the assets that a job refers to into the store. The first one that fails stops the others; when this
 * throws, nothing is being loaded any more.
 * @throws PreviewError `asset_*`, naming the asset; where `signal` was aborted, its reason
 */
export function resolveAssets(job: PreviewJob, sources: AssetSources): Promise<ResolvedAsset[]> {
  return loadAll(job, sources, resolveAsset);
}

/**
 * The same for a job that may do without some of its assets (`onAssetError: "placeholder"`): those that fail come back
 * with the reason, and stop nothing.
 */
export function loadAssets(job: PreviewJob, sources: AssetSources): Promise<LoadedAsset[]> {
  if (job.previewRequest.options?.onAssetError !== 'placeholder') return resolveAssets(job, sources);
  return loadAll<LoadedAsset>(job, sources, (asset, own) =>
    resolveAsset(asset, own).catch((error: unknown) => {
      if (own.signal.aborted || !(error instanceof PreviewError) || !error.code.startsWith('asset_'))
        throw error;
      return { id: asset.id, type: asset.type, failure: error.message };
    }),
  );
}

async function loadAll<Loaded>(
  job: PreviewJob,
  sources: AssetSources,
  loadOne: (asset: Asset, sources: OwnSources) => Promise<Loaded>,
): Promise<Loaded[]> {
  const used = referencedIds(job);
  const wanted = job.previewRequest.assets.filter((asset) => used.has(asset.id));
  if (wanted.length === 0) return [];
  const failure = new AbortController();
  const signal = AbortSignal.any([sources.signal, failure.signal]);
  const { turns = createTurns() } = sources;
  const own = { ...sources, turns, signal, projectId: job.projectId };
  const resolved: Loaded[] = [];
  await atOnce(wanted, AT_ONCE, async (asset, i) => {
    if (signal.aborted) return;
    try {
      resolved[i] = await loadOne(asset, own);
    } catch (error) {
      failure.abort(error);
    }
  });
  signal.throwIfAborted();
  return resolved;
}

function referencedIds({ previewRequest }: PreviewJob): Set<string> {
  const { steps, audio, options } = previewRequest;
  const ids = [
    ...steps.flatMap((step) => [step.asset, step.narration]),
    audio.music?.asset,
    audio.narration?.asset,
    options?.brand?.logo,
  ];
  return new Set(ids.filter((id) => id !== undefined));
}

async function resolveAsset(asset: Asset, sources: OwnSources): Promise<ResolvedAsset> {
  const object = await bringIn(asset, sources).catch((error: unknown) => {
    if (!(error instanceof PreviewError) || !error.code.startsWith('asset_')) throw error;
    throw new PreviewError(error.code, `Asset "${asset.id}": ${error.message}`, {
      cause: error,
      place: { asset: asset.id },
    });
  });
  if (object.bytes === 0) {
    throw new PreviewError('asset_empty', `Asset "${asset.id}" has no bytes.`, {
      place: { asset: asset.id },
    });
  }
  const format = await checkType(asset, object, sources);
  return { id: asset.id, type: asset.type, format, ...object };
}

async function bringIn(asset: Asset, sources: OwnSources): Promise<StoredObject> {
  if (asset.upload !== undefined) return findUpload(asset.upload, asset.sha256, sources);
  const { sha256 } = asset;
  if (asset.url !== undefined && sha256 === undefined) return readAgain(asset.url, sources);
  // Files beside the job, and bytes within it, are read again: they may have changed, and then their digest is wrong.
  if (asset.url === undefined || sha256 === undefined) return readIn(asset, sources);
  // A job that waited finds what the job before it has fetched.
  const find = async (): Promise<StoredObject> =>
    (await findOwn(sha256, sources)) ?? keepAsOwn(await readIn(asset, sources), sources);
  return sources.turns(sha256, find, sources.signal);
}

/**
 * The key of the part that says that a project has fetched these bytes. All projects share one store, and knowing a digest
 * must not give access to the bytes.
 */
const ownKey = (projectId: string, sha256: string): string =>
  createHash('sha256').update(`asset of ${projectId}: ${sha256}`).digest('hex');

async function keepAsOwn(object: StoredObject, { store, projectId }: OwnSources): Promise<StoredObject> {
  await store.putPart(ownKey(projectId, object.sha256), object);
  return object;
}

/** An object that is in the store, and that the project has uploaded or fetched. */
async function findOwn(sha256: string, { store, projectId }: OwnSources): Promise<StoredObject | undefined> {
  const object = await store.statObject(sha256);
  if (!object) return undefined;
  const isOwn =
    (await store.hasUpload(projectId, object)) ||
    (await store.hasUpload(undefined, object)) ||
    (await store.getPart(ownKey(projectId, sha256))) !== undefined;
  return isOwn ? object : undefined;
}

/**
 * Gets a file that is known only by its address. If the project has had it before, its server is asked whether it has changed,
 * so that a plan and the render after it do not both download it. If the server sent nothing to ask by, a recent download
 * is used again.
 */
async function readAgain(url: string, sources: OwnSources): Promise<StoredObject> {
  const { store, projectId, fetcher, signal, maxBytes } = sources;
  if (!fetcher) throw new PreviewError('asset_missing', 'it has no source that can be read here.');
  const key = createHash('sha256').update(`fetched by ${projectId}: ${url}`).digest('hex');
  const known = await store.getPart(key);
  const object = known && (await store.statObject(known.sha256));
  const validators = (known?.meta?.validators ?? {}) as Validators;
  if (object && !hasValidators(validators) && isRecent(known?.madeAt)) return object;
  const fetched = await fetcher(url, signal, object ? validators : undefined);
  if (fetched.isUnchanged && object) return object;
  const stored = await store.putObject(fetched, { maxBytes });
  await store.putPart(key, { ...stored, meta: { validators: fetched.validators } });
  return stored;
}

/** The time to look at a plan and have it rendered. Nobody expects a file to be replaced within it. */
const RECENT_MS = 60_000;

const isRecent = (madeAt = ''): boolean => {
  const age = Date.now() - Date.parse(madeAt);
  return age >= 0 && age < RECENT_MS;
};

async function readIn(asset: Asset, sources: AssetSources): Promise<StoredObject> {
  return sources.store.putObject(await openSource(asset, sources), {
    maxBytes: sources.maxBytes,
    ...(asset.sha256 ? { sha256: asset.sha256 } : {}),
  });
}

async function findUpload(
  upload: string,
  sha256: string | undefined,
  sources: OwnSources,
): Promise<StoredObject> {
  if (sha256 !== undefined && sha256 !== upload) {
    throw new PreviewError('asset_digest_mismatch', '"upload" and "sha256" differ; leave "sha256" out.');
  }
  const object = await findOwn(upload, sources);
  if (object) return object;
  throw new PreviewError(
    'asset_missing',
    `${upload} has not been uploaded; send it to POST /api/assets first.`,
  );
}

async function openSource(
  asset: Asset,
  { fetcher, baseFolder, signal }: AssetSources,
): Promise<Uint8Array | AsyncIterable<Uint8Array>> {
  if (asset.data !== undefined) return Buffer.from(asset.data.slice(asset.data.indexOf(',') + 1), 'base64');
  if (asset.path !== undefined && baseFolder !== undefined) return openFile(asset.path, baseFolder);
  if (asset.path !== undefined) {
    throw new PreviewError(
      'asset_address_refused',
      '"path" is read by the command line only; upload the file.',
    );
  }
  if (asset.url !== undefined && fetcher) return fetcher(asset.url, signal);
  throw new PreviewError('asset_missing', 'it has no source that can be read here.');
}

/** An MP4 may hold sound alone. */
function fitsType(format: MediaFormat, { type }: Asset): boolean {
  return mediaFormats[format].kind === type || (type === 'audio' && format === 'mp4');
}

async function checkType(
  asset: Asset,
  object: StoredObject,
  { store, formats }: AssetSources,
): Promise<MediaFormat> {
  const known = formats?.get(object.sha256);
  if (known && fitsType(known, asset)) return known;
  const stream = await store.openObject(object.sha256, {
    start: 0,
    end: Math.min(SNIFF_BYTES, object.bytes) - 1,
  });
  const head = Buffer.concat(await stream.toArray());
  const format = sniffFormat(head);
  if (format && fitsType(format, asset)) {
    if (formats && formats.size >= REMEMBERED_FORMATS) formats.clear();
    formats?.set(object.sha256, format);
    return format;
  }
  const found = format ? mediaFormats[format].mediaType : describeUnknown(head);
  const accepted = Object.entries(mediaFormats).filter(([, { kind }]) => kind === asset.type);
  throw new PreviewError(
    'asset_type_unsupported',
    `Asset "${asset.id}" is declared as ${asset.type}, but its bytes are ${found}; send ${accepted.map(([name]) => name).join(', ')}.`,
    { place: { asset: asset.id } },
  );
}
