import { demuxerOf } from '../../assets/sniff.ts';
import { PreviewError } from '../../errors.ts';
import type { Warning } from '../../job/jobRecord.ts';
import { coverPicture } from '../../media/picture/image.ts';
import { readClip } from '../../media/video/clip.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';
import { atOnce } from '../atOnce.ts';
import { type SlideContent, undecodableLogo, withoutLogo } from '../slides/paintSlide.ts';
import { ASSET_REPLACED } from './inspectAssets.ts';
import { type Plan, type PlanAsset, part } from './plan.ts';

/** Pictures that are looked at at the same time. */
const AT_ONCE = 4;
/** Damage is found at any size; a small one costs least. */
const SMALL = { width: 64, height: 64, fps: 1 };

/**
 * What a render would find out when it decodes the pictures, found beforehand: a warning for each slide whose picture is
 * damaged, and one for a damaged logo. What was found of a file is kept, so that each is looked at once.
 * @throws PreviewError `asset_corrupt` where the job wants no placeholder
 */
export async function checkPictures(
  plan: Plan,
  assets: readonly PlanAsset[],
  store: ArtifactStore,
): Promise<Warning[]> {
  const shown = plan.entries.map(({ slides }) => slides[0]?.content);
  const digests = new Set(
    shown.flatMap((content) => [content?.photo ?? content?.clip?.sha256, content?.logo]),
  );
  const failures = new Map<string, string>();
  const pictured = assets.filter(({ sha256 }) => digests.has(sha256));
  await atOnce(pictured, AT_ONCE, async (asset) => {
    const failure = await failureOf(asset, store);
    if (failure !== undefined) failures.set(asset.sha256, failure);
  });
  const branded = shown.find((content) => content?.logo && failures.has(content.logo));
  const logo = branded
    ? [withoutLogo(branded, undecodableLogo(new Error(failures.get(branded.logo ?? ''))))]
    : [];
  const pictures = shown.flatMap((content, index) => {
    const failure = failures.get(content?.photo ?? content?.clip?.sha256 ?? '');
    return content && failure !== undefined ? [replaced(content, undecodable(index, failure))] : [];
  });
  return [...logo, ...pictures];
}

/** Why a file cannot be decoded; undefined where it can. */
async function failureOf(
  { type, sha256, format }: PlanAsset,
  store: ArtifactStore,
): Promise<string | undefined> {
  const { key } = part('decodes', { sha256, format });
  const known = await store.getPart(key);
  if (known) return known.meta?.failure as string | undefined;
  const bytes = await store.readObject(sha256);
  const failure = await (type === 'video' ? decodeFirst(bytes, demuxerOf(format)) : decodeSmall(bytes))
    .then(() => undefined)
    .catch(reasonOf);
  await store.putPart(key, {
    sha256,
    bytes: bytes.length,
    ...(failure === undefined ? {} : { meta: { failure } }),
  });
  return failure;
}

const decodeSmall = (bytes: Buffer): Promise<unknown> => coverPicture(bytes, SMALL.width, SMALL.height);

async function decodeFirst(bytes: Buffer, demuxer: string): Promise<void> {
  for await (const _ of readClip(bytes, demuxer, SMALL)) return;
  throw new Error('it has no picture');
}

const reasonOf = (cause: unknown): string =>
  (cause instanceof Error ? cause.message.split('\n')[0] : undefined) ?? 'unknown';

/**
 * The picture of an entry cannot be decoded. Why is in the cause alone: where several fail at the same time, libvips, whose
 * list of errors is one for the whole process, tells it to one of them.
 */
export function undecodable(index: number, cause: unknown): PreviewError {
  return new PreviewError(
    'asset_corrupt',
    `The picture of slide ${index + 1} cannot be decoded; it is damaged or truncated. Send the file again.`,
    { cause },
  );
}

/** That a placeholder is shown instead. @throws the error where the job wants none */
export function replaced(content: SlideContent, error: PreviewError): Warning {
  if (!content.placeholder) throw error;
  const message = `${error.message} Instead, a placeholder is shown.`;
  return {
    code: ASSET_REPLACED,
    message,
    ...(content.counter ? { step: content.counter.step - 1 } : {}),
  };
}
