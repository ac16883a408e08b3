import type { Warning } from '../../job/jobRecord.ts';
import type { YuvPicture } from '../../media/picture/frame.ts';
import { probeImage } from '../../media/picture/image.ts';
import { readClip } from '../../media/video/clip.ts';
import { replaced, undecodable } from '../plan/placeholders.ts';
import type { PlannedSlide } from '../plan/plan.ts';
import { isMovingPhoto, type SlideContent } from '../plan/slideContent.ts';
import { type Background, paintBackground, placePhoto, WHOLE } from './background.ts';
import type { BackgroundCache } from './backgroundCache.ts';
import { type Movement, movementOf } from './motion.ts';

/** What slides are made of: files by their digests, and photos as they were painted before. */
export interface Sources {
  read(sha256: string): Promise<Buffer>;
  backgrounds: BackgroundCache;
}

/**
 * What lies behind the words of a slide, at `scale` times the size of its frame: its photo, the first picture of its
 * video, or where that cannot be decoded a placeholder and a warning.
 * @throws PreviewError `asset_corrupt` where the job wants no placeholder
 */
export async function loadBackground(
  { content, entry }: Pick<PlannedSlide, 'content' | 'entry'>,
  sources: Sources,
  scale?: number,
): Promise<Background & { warnings: Warning[] }> {
  try {
    const background = content.clip
      ? await firstPicture(content, sources)
      : await loadPhoto(content, sources, scale);
    return { ...background, warnings: [] };
  } catch (cause) {
    const warnings = [replaced(content, undecodable(entry, cause))];
    return { ...(await paintBackground(content, undefined, scale)), warnings };
  }
}

async function loadPhoto(
  content: SlideContent,
  { read, backgrounds }: Sources,
  scale?: number,
): Promise<Background> {
  const { photo, width, height, theme, brandColor, mirrored } = content;
  const paint = async () => paintBackground(content, photo ? await read(photo) : undefined, scale);
  if (!photo || scale !== undefined) return paint();
  const shared = await backgrounds.get(
    JSON.stringify([photo, width, height, theme, brandColor, mirrored]),
    paint,
  );
  return { ...shared, picture: { ...shared.picture, data: Buffer.from(shared.picture.data) } };
}

async function firstPicture(content: SlideContent, sources: Sources): Promise<Background> {
  for await (const picture of clipPictures(content, sources)) return { picture, place: WHOLE };
  throw new Error('it has no picture');
}

/** The pictures of a slide's video, in the size and at the rate of the preview; none where it shows no video. */
export async function* clipPictures(
  { clip, width, height }: SlideContent,
  { read }: Pick<Sources, 'read'>,
): AsyncGenerator<YuvPicture> {
  if (clip) yield* readClip(await read(clip.sha256), clip.demuxer, { width, height, fps: clip.fps });
}

/** How the view of a photo moves; undefined where it stands, or its header cannot be read. */
export async function loadMovement(
  content: SlideContent,
  { read }: Pick<Sources, 'read'>,
): Promise<Movement | undefined> {
  if (!content.photo || !isMovingPhoto(content)) return undefined;
  const header = await probeImage(await read(content.photo)).catch(() => undefined);
  return header && movementOf(content, content, placePhoto(header, content, content.mirrored));
}

export const loadLogo = async (
  { logo }: SlideContent,
  { read }: Pick<Sources, 'read'>,
): Promise<Buffer | undefined> => (logo === undefined ? undefined : read(logo));
