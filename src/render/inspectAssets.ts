import type { ResolvedAsset } from '../assets/resolveAssets.ts';
import { demuxerOf } from '../assets/sniff.ts';
import { PreviewError } from '../errors.ts';
import type { Warning } from '../job/jobRecord.ts';
import type { PreviewJob } from '../job/previewJob.types.ts';
import { probeAudioSeconds } from '../media/audio.ts';
import { MAX_INPUT_PIXELS, probeImage } from '../media/image.ts';
import type { ArtifactStore } from '../storage/artifactStore.ts';

export interface Inspected {
  /** Length of every sound by asset id. */
  narrationSeconds: Map<string, number>;
  warnings: Warning[];
}

/**
 * Looks at the headers of every asset, so that a file that cannot be used is named before anything is rendered.
 * @throws PreviewError `asset_too_many_pixels`, `asset_corrupt`, `asset_type_unsupported`
 */
export async function inspectAssets(
  job: PreviewJob,
  assets: readonly ResolvedAsset[],
  store: ArtifactStore,
): Promise<Inspected> {
  const narrationSeconds = new Map<string, number>();
  for (const asset of assets) {
    const bytes = await store.readObject(asset.sha256);
    if (asset.type === 'image') await inspectImage(asset, bytes);
    else if (asset.type === 'audio') narrationSeconds.set(asset.id, await inspectSound(asset, bytes));
    else
      throw new PreviewError(
        'asset_type_unsupported',
        `Asset "${asset.id}" is a video; steps show images so far.`,
      );
  }
  return { narrationSeconds, warnings: notYetRendered(job) };
}

async function inspectImage(asset: ResolvedAsset, bytes: Buffer): Promise<void> {
  const { width, height } = await probeImage(bytes).catch((cause: unknown) => {
    throw corrupt(asset, cause);
  });
  if (width * height > MAX_INPUT_PIXELS) {
    throw new PreviewError(
      'asset_too_many_pixels',
      `Asset "${asset.id}" has ${width} x ${height} pixels; at most ${MAX_INPUT_PIXELS / 1e6} million are decoded. Send it smaller.`,
    );
  }
}

function inspectSound(asset: ResolvedAsset, bytes: Buffer): Promise<number> {
  return probeAudioSeconds(bytes, demuxerOf(asset.format)).catch((cause: unknown) => {
    throw corrupt(asset, cause);
  });
}

function corrupt(asset: ResolvedAsset, cause: unknown): PreviewError {
  const reason = cause instanceof Error ? cause.message.split('\n')[0] : 'unknown';
  return new PreviewError(
    'asset_corrupt',
    `Asset "${asset.id}" (${asset.format}) cannot be read: ${reason}. Send the file again.`,
    { cause },
  );
}

/** What a job may ask for and this renderer does not draw: said, not silently left out. */
function notYetRendered(job: PreviewJob): Warning[] {
  const warnings: Warning[] = [];
  const { steps, options } = job.previewRequest;
  steps.forEach((step, index) => {
    for (const name of ['motion', 'focus'] as const) {
      if (step[name] === undefined || step[name] === 'none') continue;
      warnings.push({
        code: 'not_rendered',
        message: `"${name}" is accepted, but not rendered yet.`,
        step: index,
      });
    }
  });
  if (options?.includeCaptions) {
    warnings.push({
      code: 'not_rendered',
      message:
        '"includeCaptions" is accepted, but captions are not burned in yet; use captions.vtt or captions.srt.',
    });
  }
  return warnings;
}
