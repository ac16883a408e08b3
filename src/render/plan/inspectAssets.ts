import type { LoadedAsset, ResolvedAsset } from '../../assets/resolveAssets.ts';
import { demuxerOf, isPicture } from '../../assets/sniff.ts';
import { atOnce } from '../../concurrency/atOnce.ts';
import { PreviewError } from '../../errors.ts';
import type { Warning } from '../../job/jobRecord.ts';
import type { PreviewJob } from '../../job/previewJob.types.ts';
import { BeyondLimits, NotAccepted, TooManyPixels } from '../../media/limits.ts';
import { checkPicture } from '../../media/picture/image.ts';
import { probeAudioSeconds } from '../../media/sound/audio.ts';
import { probeClip } from '../../media/video/clip.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';
import { getNote, putNote } from '../../storage/notes.ts';
import { keyOf } from '../parts/part.ts';
import { ASSET_REPLACED } from './placeholders.ts';

export interface Inspected {
  /** Those that can be used. */
  assets: ResolvedAsset[];
  /** Length of every sound and video by asset id. */
  seconds: Map<string, number>;
  /** Length of the videos that have a sound, by asset id. */
  sounding: Map<string, number>;
  warnings: Warning[];
}

/** Files that are read and looked at side by side; each is in memory meanwhile. */
const AT_ONCE = 4;

/**
 * Looks at the headers of every asset, so that a file that cannot be used is named before anything is rendered. Where
 * the job says `onAssetError: "placeholder"`, it is left out, and a warning names it and the steps that want it.
 * @throws PreviewError `asset_too_many_pixels`, `asset_limit_exceeded`, `asset_type_unsupported`, `asset_corrupt`
 */
export async function inspectAssets(
  job: PreviewJob,
  loaded: readonly LoadedAsset[],
  store: ArtifactStore,
): Promise<Inspected> {
  const mayFail = job.previewRequest.options?.onAssetError === 'placeholder';
  const inspected: Inspected = {
    assets: [],
    seconds: new Map(),
    sounding: new Map(),
    warnings: [],
  };
  const looks = await atOnce(loaded, AT_ONCE, async (asset) => {
    const [look] = await Promise.allSettled([lookAt(asset, store)]);
    return { asset, look };
  });
  // In the order of the job, so that of several that cannot be used the first one is named.
  for (const { asset, look } of looks) {
    if (look.status === 'fulfilled') {
      const { usable, facts } = look.value;
      const { seconds, hasSound } = facts;
      if (seconds !== undefined) inspected.seconds.set(asset.id, seconds);
      if (hasSound) inspected.sounding.set(asset.id, seconds ?? 0);
      inspected.assets.push(usable);
      if (asset.type === 'video' && !hasSound) inspected.warnings.push(...silentSteps(job, asset.id));
      continue;
    }
    const { reason: error } = look;
    if (!mayFail || !(error instanceof PreviewError) || !error.code.startsWith('asset_')) throw error;
    inspected.warnings.push(...warningsOf(job, asset, error.message));
  }
  return inspected;
}

/** What a file's headers say, once it was looked at and found usable: it is not read again for the next preview. */
interface Facts {
  /** Of a sound or a video. */
  seconds?: number;
  /** Of a video. */
  hasSound?: boolean;
}

async function lookAt(
  asset: LoadedAsset,
  store: ArtifactStore,
): Promise<{ usable: ResolvedAsset; facts: Facts }> {
  if ('failure' in asset) throw new PreviewError('asset_missing', asset.failure);
  return { usable: asset, facts: await factsOf(asset, store) };
}

async function factsOf(asset: ResolvedAsset, store: ArtifactStore): Promise<Facts> {
  const key = keyOf('facts', { type: asset.type, format: asset.format, sha256: asset.sha256 });
  const known = await getNote(store, key);
  if (known?.facts) return known.facts as Facts;
  const facts = await inspect(asset, await store.readObject(asset.sha256));
  await putNote(store, key, asset, { facts });
  return facts;
}

async function inspect({ format, type, ...asset }: ResolvedAsset, bytes: Buffer): Promise<Facts> {
  try {
    if (type === 'audio') return { seconds: await probeAudioSeconds(bytes, demuxerOf(format)) };
    if (isPicture(format)) {
      await checkPicture(bytes, format);
      return {};
    }
    const { seconds, hasSound } = await probeClip(bytes, demuxerOf(format));
    return { seconds, hasSound };
  } catch (cause) {
    throw cause instanceof PreviewError ? cause : refusal({ ...asset, format, type }, cause);
  }
}

/** A warning for each step that wants to hear a video that has no sound. */
function silentSteps({ previewRequest: { steps } }: PreviewJob, id: string): Warning[] {
  return steps.flatMap(({ asset, videoSound }, step) =>
    videoSound && asset === id
      ? [{ code: 'video_silent', message: `Asset "${id}" has no sound; the step is silent.`, step }]
      : [],
  );
}

function refusal(asset: ResolvedAsset, cause: unknown): PreviewError {
  const name = `Asset "${asset.id}" (${asset.format})`;
  const place = { asset: asset.id };
  if (cause instanceof TooManyPixels)
    return new PreviewError('asset_too_many_pixels', `${name} ${cause.message}. Send it smaller.`, { place });
  if (cause instanceof BeyondLimits)
    return new PreviewError('asset_limit_exceeded', `${name} ${cause.message}. Send it simpler or shorter.`, {
      place,
    });
  if (cause instanceof NotAccepted)
    return new PreviewError('asset_type_unsupported', `${name} ${cause.message}. Export it anew.`, { place });
  return corrupt(asset, cause);
}

function corrupt(asset: ResolvedAsset, cause: unknown): PreviewError {
  const reason = cause instanceof Error ? cause.message.split('\n')[0] : 'unknown';
  return new PreviewError(
    'asset_corrupt',
    `Asset "${asset.id}" (${asset.format}) cannot be read: ${reason}. Send the file again.`,
    { cause, place: { asset: asset.id } },
  );
}

/** A warning for each step that does without the asset, or one where it is not a step's. */
function warningsOf(job: PreviewJob, { id, type }: LoadedAsset, reason: string): Warning[] {
  const instead = type === 'audio' ? 'it is silent' : 'a placeholder is shown';
  const message = `${reason} Instead, ${instead}.`;
  const steps = job.previewRequest.steps.flatMap(({ asset, narration }, step) =>
    asset === id || narration === id ? [{ code: ASSET_REPLACED, message, step }] : [],
  );
  return steps.length > 0 ? steps : [{ code: ASSET_REPLACED, message }];
}
