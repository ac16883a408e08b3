import { demuxerOf } from '../../assets/sniff.ts';
import { atOnce } from '../../concurrency/atOnce.ts';
import type { Warning } from '../../job/jobRecord.ts';
import { coverPicture } from '../../media/picture/image.ts';
import { readClip } from '../../media/video/clip.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';
import { getNote, putNote } from '../../storage/notes.ts';
import { keyOf } from '../parts/part.ts';
import { replaced, undecodable, undecodableLogo, withoutLogo } from './placeholders.ts';
import type { Plan } from './plan.ts';
import type { PlanAsset } from './planAsset.ts';
import type { SlideContent } from './slideContent.ts';

/** Pictures that are looked at at the same time. */
const AT_ONCE = 4;
/** Damage is found at any size; a small one costs least. */
const SMALL = { width: 64, height: 64, fps: 1 };

/**
 * Decodes the pictures before a render does: answers a warning for each slide whose picture is damaged, and one for a damaged
 * logo. The store notes what was found, so each file is looked at once.
 * @throws PreviewError `asset_corrupt` where the job wants no placeholder
 */
export async function checkPictures(
  plan: Plan,
  assets: readonly PlanAsset[],
  store: ArtifactStore,
): Promise<Warning[]> {
  const shown = plan.entries.map(({ slides }) => slides[0].content);
  const digests = new Set(shown.flatMap((content) => [pictureOf(content), content.logo]));
  const failures = new Map<string, string>();
  const pictured = assets.filter(({ sha256 }) => digests.has(sha256));
  await atOnce(pictured, AT_ONCE, async (asset) => {
    const failure = await failureOf(asset, store);
    if (failure !== undefined) failures.set(asset.sha256, failure);
  });
  const branded = shown.find(({ logo }) => logo && failures.has(logo));
  const logo = branded
    ? [withoutLogo(branded, undecodableLogo(new Error(failures.get(branded.logo ?? ''))))]
    : [];
  const pictures = shown.flatMap((content, index) => {
    const failure = failures.get(pictureOf(content) ?? '');
    return failure === undefined ? [] : [replaced(content, undecodable(index, failure))];
  });
  return [...logo, ...pictures];
}

const pictureOf = ({ photo, clip }: SlideContent): string | undefined => photo ?? clip?.sha256;

/** Why a file cannot be decoded; undefined where it can. */
async function failureOf(
  { type, sha256, format }: PlanAsset,
  store: ArtifactStore,
): Promise<string | undefined> {
  const key = keyOf('decodes', { sha256, format });
  const known = await getNote(store, key);
  if (known) return known.failure as string | undefined;
  const bytes = await store.readObject(sha256);
  const failure = await (type === 'video' ? decodeFirst(bytes, demuxerOf(format)) : decodeSmall(bytes))
    .then(() => undefined)
    .catch(reasonOf);
  await putNote(store, key, { sha256, bytes: bytes.length }, failure === undefined ? {} : { failure });
  return failure;
}

const decodeSmall = (bytes: Buffer): Promise<unknown> => coverPicture(bytes, SMALL.width, SMALL.height);

async function decodeFirst(bytes: Buffer, demuxer: string): Promise<void> {
  for await (const _ of readClip(bytes, demuxer, SMALL)) return;
  throw new Error('it has no picture');
}

const reasonOf = (cause: unknown): string =>
  (cause instanceof Error ? cause.message.split('\n')[0] : undefined) ?? 'unknown';
