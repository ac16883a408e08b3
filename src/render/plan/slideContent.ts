import { demuxerOf } from '../../assets/sniff.ts';
import type { Focus, Motion, PreviewJob, Step, Theme } from '../../job/previewJob.types.ts';
import type { VideoSettings } from '../../media/codecs.ts';
import { fontsFor, isRightToLeft } from '../../media/text/glyphs.ts';
import { withBreaks } from '../../media/text/lineBreaks.ts';
import { buildCaptions } from '../timeline/captions.ts';
import { type Entry, type Timeline, titleOf } from '../timeline/timeline.ts';
import type { Assets, PlanAsset } from './planAsset.ts';

/** Everything that decides a slide's pixels, and so its key. */
export interface SlideContent {
  kind: 'title' | 'step';
  width: number;
  height: number;
  theme: Theme;
  /** Takes the place of the theme's accent. */
  brandColor?: string | undefined;
  /** Digest of a picture for the upper right corner. */
  logo?: string | undefined;
  title?: string | undefined;
  text?: string | undefined;
  /** Lines of a caption that is burned in; empty where there is one at other times. */
  caption?: readonly string[] | undefined;
  /** Digest of the photo that fills the frame. */
  photo?: string | undefined;
  /** A video instead of a photo, and the demuxer that opens it. */
  clip?: { sha256: string; demuxer: string; fps: number } | undefined;
  motion?: Motion | undefined;
  focus?: Focus | undefined;
  /** A sign takes the place of a photo that cannot be used. */
  placeholder?: boolean | undefined;
  /** The logo is left out where it cannot be decoded. */
  mayLackLogo?: boolean | undefined;
  /** The words are written from right to left: everything lies the other way round. */
  mirrored?: boolean | undefined;
  /** BCP 47; which shapes Chinese characters have. */
  language?: string | undefined;
  /** Names the optional fonts, where these words may be set in one of them. */
  fonts?: string | undefined;
  /** Which step this is, from 1, of how many. */
  counter?: { step: number; of: number } | undefined;
}

/** Whether it is a video, which plays on under its transition; a photo has come to rest by then. */
export const plays = ({ clip }: SlideContent): boolean => clip !== undefined;

/** Whether the view of a photo moves. */
export const isMovingPhoto = ({ photo, motion = 'none', focus }: SlideContent): boolean =>
  photo !== undefined && (motion !== 'none' || focus !== undefined);

/** Whether each of its frames is another picture. */
export const moves = (content: SlideContent): boolean => plays(content) || isMovingPhoto(content);

/**
 * The slides of an entry, each with the frames for which it is held: one, or with burned-in captions one for each caption
 * and for each gap between them.
 */
export function slideContents(
  job: PreviewJob,
  entry: Entry,
  timeline: Timeline,
  video: VideoSettings,
  assets: Assets,
): { content: SlideContent; frames: number }[] {
  const held = entry.frames - (entry.exit?.frames ?? 0);
  const content = slideContent(job, entry, video, assets);
  const { steps, options } = job.previewRequest;
  if (!options?.includeCaptions || entry.kind === 'title') return [{ content, frames: held }];
  const cues = buildCaptions({ ...timeline, entries: [entry] }, steps);
  const frameOf = (seconds: number): number =>
    Math.min(held, Math.round(seconds * timeline.fps) - entry.startFrame);
  const captioned = cues
    .map(({ startSeconds, endSeconds, lines }) => ({
      content: { ...content, text: undefined, caption: lines.map(withBreaks) },
      frames: frameOf(endSeconds) - frameOf(startSeconds),
    }))
    .filter(({ frames }) => frames > 0);
  return captioned.length > 0 ? captioned : [{ content: { ...content, caption: [] }, frames: held }];
}

function slideContent(
  job: PreviewJob,
  entry: Entry,
  { width, height, fps }: VideoSettings,
  assets: Assets,
): SlideContent {
  const { steps, description, options } = job.previewRequest;
  const { brand, onAssetError, locale } = options ?? {};
  const mayLack = onAssetError === 'placeholder' ? true : undefined;
  const step = steps[entry.index];
  const shown = step ? assets.get(step.asset ?? '') : coverOf(steps, assets);
  const words = step
    ? { title: step.title, text: step.text }
    : { title: titleOf(job.previewRequest), text: description };
  const all = `${words.title ?? ''} ${words.text ?? ''}`;
  const isClip = shown?.type === 'video';
  // Undefined members are no part of the key. One object with all of them is made faster than copies of copies.
  return {
    brandColor: brand?.color,
    caption: undefined,
    clip: isClip ? { demuxer: demuxerOf(shown.format), fps, sha256: shown.sha256 } : undefined,
    counter: step && { of: steps.length, step: entry.index + 1 },
    focus: step?.focus,
    fonts: fontsFor(all),
    height,
    kind: entry.kind,
    language: locale && /\p{Script=Han}/u.test(all) ? locale : undefined,
    logo: brand?.logo && assets.get(brand.logo)?.sha256,
    mayLackLogo: brand?.logo ? mayLack : undefined,
    mirrored: isRightToLeft(all) || undefined,
    motion: step?.motion,
    photo: isClip ? undefined : shown?.sha256,
    placeholder: step && !step.asset ? undefined : mayLack,
    text: words.text && withBreaks(words.text),
    theme: options?.theme ?? 'midnight',
    title: words.title && withBreaks(words.title),
    width,
  };
}

/** What the title card shows: the first picture of the steps. */
function coverOf(steps: readonly Step[], assets: Assets): PlanAsset | undefined {
  for (const { asset } of steps) {
    const shown = assets.get(asset ?? '');
    if (shown?.type === 'image') return shown;
  }
  return undefined;
}
