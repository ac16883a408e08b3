import { demuxerOf, type MediaFormat } from '../../assets/sniff.ts';
import { canonicalJson } from '../../job/canonicalJson.ts';
import type { PreviewJob, Step } from '../../job/previewJob.types.ts';
import { sha256Hex } from '../../job/sha256.ts';
import { audioCodecs, type VideoFormat, type VideoSettings, videoCodecs } from '../../media/codecs.ts';
import { fontsFor, isRightToLeft } from '../../media/text/glyphs.ts';
import { thumbnailSize } from '../pictures/thumbnailSheet.ts';
import type { SlideContent } from '../slides/paintSlide.ts';
import type { VideoSound } from '../sound/videoSound.ts';
import { buildCaptions } from '../timeline/captions.ts';
import type { Entry, Timeline } from '../timeline/timeline.ts';

/** Raise it with every change that makes other bytes from the same job; all parts are then made anew. */
export const RENDERER_VERSION = '14';

/** A part that can be made, stored and found again by its key. */
export interface PlannedPart<Content> {
  kind: string;
  key: string;
  content: Content;
}

export interface ThumbContent {
  slide: string;
  width: number;
  height: number;
}

export interface SegmentContent {
  video: VideoSettings;
  /** Keys of the slides that are held, one after the other; more than one where captions change. */
  held: { slide: string; frames: number }[];
  /** Key of the slide that follows, where there is a transition to it. */
  next?: string | undefined;
  exit?: Entry['exit'];
}

export interface SoundtrackContent {
  format: VideoFormat;
  seconds: number;
  /** Where each narration begins; digests, not ids, so that a renamed asset changes nothing. */
  narration: { sha256: string; startSeconds: number; gainDb: number }[];
  videos?: VideoSound[];
  music?: { sha256: string; gainDb: number; loop: boolean } | undefined;
  ducking: boolean;
  loudnessLufs: number;
}

/** A slide and its coded still, with one without its words behind it where they leave or come in a fade. */
export interface PlannedSlide extends PlannedPart<SlideContent> {
  still: PlannedPart<{ wordless: boolean }>;
  frames: number;
}

/** An entry of the timeline. */
export interface PlannedEntry {
  /** At least one. Only captions differ between the slides of an entry. */
  slides: PlannedSlide[];
  thumb: PlannedPart<ThumbContent>;
  segment: PlannedPart<SegmentContent>;
}

export interface Plan {
  video: VideoSettings;
  entries: PlannedEntry[];
  /** What a player needs before the first segment. */
  init: PlannedPart<unknown>;
  soundtrack?: PlannedPart<SoundtrackContent>;
}

/** What the plan needs to know of an asset. */
export interface PlanAsset {
  id: string;
  type: 'image' | 'audio' | 'video';
  sha256: string;
  format: MediaFormat;
}

type Assets = ReadonlyMap<string, PlanAsset>;

/**
 * Names every part of the preview by what decides its bytes. Pure: nothing is read, nothing is made.
 * @param sounding length in seconds of the videos that have a sound, by asset id
 */
export function buildPlan(
  job: PreviewJob,
  timeline: Timeline,
  assets: readonly PlanAsset[],
  sounding: ReadonlyMap<string, number>,
): Plan {
  const known: Assets = new Map(assets.map((asset) => [asset.id, asset]));
  const video = videoSettings(job);
  const codec = videoCodecs[video.format];
  const fades = (entry: Entry | undefined): boolean => entry?.exit?.type === 'fade';
  const shown = timeline.entries.map((entry, i) => {
    const [comes, leaves] = [fades(timeline.entries[i - 1]), fades(entry)];
    return slidesOf(job, entry, timeline, video, known).map(({ content, frames }, j, all): PlannedSlide => {
      const slide = part('slide', content);
      const wordless = (comes && j === 0) || (leaves && j === all.length - 1);
      const still = part('still', { codec, slide: slide.key, video, wordless });
      return Object.assign(slide, { frames, still });
    });
  });
  const entries = timeline.entries.map((entry, i): PlannedEntry => {
    const slides = shown[i] ?? [];
    const { exit } = entry;
    return {
      slides,
      thumb: part('thumb', { slide: slides[0]?.key ?? '', ...thumbnailSize(video) }),
      segment: part('segment', {
        codec,
        exit,
        held: slides.map(({ key, frames }) => ({ frames, slide: key })),
        next: exit && shown[i + 1]?.[0]?.key,
        video,
      }),
    };
  });
  const sound = soundtrackContent(job, timeline, video.format, known, sounding);
  return {
    video,
    entries,
    init: part('init', { codec, video }),
    ...(sound ? { soundtrack: part('soundtrack', { ...sound, codec: audioCodecs[video.format] }) } : {}),
  };
}

/**
 * A part by its key: the SHA-256 of its kind, the renderer's version and everything that decides its bytes. Contents are
 * written with their members in the order of their names, of which the key is made soonest: see `canonicalJson`.
 */
export function part<Content>(kind: string, content: Content): PlannedPart<Content> {
  return { kind, content, key: sha256Hex(canonicalJson({ content, kind, version: RENDERER_VERSION })) };
}

function videoSettings(job: PreviewJob): VideoSettings {
  const options = job.previewRequest.options ?? {};
  const [width = 1280, height = 720] = (options.resolution ?? '1280x720').split('x').map(Number);
  return { format: options.format ?? 'mp4', fps: options.fps ?? 30, height, width };
}

/** The slides of an entry: one, or with burned-in captions one for each caption and for each gap between them. */
function slidesOf(
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
      content: { ...content, text: undefined, caption: lines },
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
  const { steps, title, description, options } = job.previewRequest;
  const { brand, onAssetError, locale } = options ?? {};
  const mayLack = onAssetError === 'placeholder' ? true : undefined;
  const step = steps[entry.index];
  const shown = step ? assets.get(step.asset ?? '') : coverOf(steps, assets);
  const words = step
    ? { title: step.title, text: step.text }
    : { title: title ?? 'Preview', text: description };
  const all = `${words.title ?? ''} ${words.text ?? ''}`;
  const isClip = shown?.type === 'video';
  // One object with all of its members: what is undefined is no part of the key, and copies of copies took longer.
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
    text: words.text,
    theme: options?.theme ?? 'midnight',
    title: words.title,
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

function soundtrackContent(
  job: PreviewJob,
  timeline: Timeline,
  format: VideoFormat,
  assets: Assets,
  sounding: ReadonlyMap<string, number>,
): SoundtrackContent | undefined {
  const { steps, audio } = job.previewRequest;
  const voice = (asset: string, startFrame: number, gainDb = 0) => ({
    sha256: assets.get(asset)?.sha256 ?? '',
    startSeconds: startFrame / timeline.fps,
    gainDb,
  });
  const narration = timeline.entries.flatMap((entry) => {
    const asset = steps[entry.index]?.narration;
    return asset !== undefined && assets.has(asset) ? [voice(asset, entry.startFrame)] : [];
  });
  if (audio.narration && assets.has(audio.narration.asset)) {
    narration.push(voice(audio.narration.asset, 0, audio.narration.gainDb));
  }
  const videos = timeline.entries.flatMap(({ index, startFrame, frames, exit }) => {
    const { asset = '', videoSound, videoGainDb } = steps[index] ?? {};
    const length = sounding.get(asset);
    if (!videoSound || length === undefined) return [];
    const shown = frames / timeline.fps;
    const seconds = Math.min(shown, length);
    // It fades out while the next picture comes, where it has not ended by then.
    const fadeSeconds = Math.max(0, (exit?.frames ?? 0) / timeline.fps - (shown - seconds));
    return [{ ...voice(asset, startFrame, videoGainDb), seconds, fadeSeconds }];
  });
  const music = audio.music && assets.has(audio.music.asset) ? audio.music : undefined;
  if (narration.length + videos.length === 0 && !music) return undefined;
  return {
    format,
    seconds: timeline.totalFrames / timeline.fps,
    narration,
    ...(videos.length > 0 ? { videos } : {}),
    music: music && {
      sha256: assets.get(music.asset)?.sha256 ?? '',
      gainDb: music.gainDb ?? 0,
      loop: music.loop ?? true,
    },
    ducking: audio.ducking ?? true,
    loudnessLufs: audio.loudnessLufs ?? -16,
  };
}
