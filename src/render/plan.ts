import { createHash } from 'node:crypto';
import { canonicalJson } from '../job/canonicalJson.ts';
import type { PreviewJob } from '../job/previewJob.types.ts';
import { audioCodecs } from '../media/audio.ts';
import { type VideoFormat, type VideoSettings, videoCodecs } from '../media/video.ts';
import type { SlideContent } from './parts/slide.ts';
import { thumbnailSize } from './parts/storyboard.ts';
import type { ThemeName } from './themes.ts';
import type { Entry, Timeline } from './timeline.ts';

/** Raise it with every change that makes other bytes from the same job; all parts are then made anew. */
export const RENDERER_VERSION = '3';

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
  /** Keys of the slide that is held, and of the one that follows where there is a transition. */
  slide: string;
  next?: string | undefined;
  holdFrames: number;
  exit?: Entry['exit'];
}

export interface SoundtrackContent {
  format: VideoFormat;
  seconds: number;
  /** Where each narration begins; digests, not ids, so that a renamed asset changes nothing. */
  narration: { sha256: string; startSeconds: number; gainDb: number }[];
  music?: { sha256: string; gainDb: number; loop: boolean } | undefined;
  ducking: boolean;
  loudnessLufs: number;
}

export interface Plan {
  video: VideoSettings;
  /** One for each entry of the timeline. */
  slides: PlannedPart<SlideContent>[];
  /** The slides as coded stills, and small. */
  stills: PlannedPart<unknown>[];
  thumbs: PlannedPart<ThumbContent>[];
  segments: PlannedPart<SegmentContent>[];
  /** What a player needs before the first segment. */
  init: PlannedPart<unknown>;
  soundtrack?: PlannedPart<SoundtrackContent>;
}

/** What the plan needs to know of an asset. */
export interface PlanAsset {
  id: string;
  sha256: string;
}

/** Names every part of the preview by what decides its bytes. Pure: nothing is read, nothing is made. */
export function buildPlan(job: PreviewJob, timeline: Timeline, assets: readonly PlanAsset[]): Plan {
  const digests = new Map(assets.map(({ id, sha256 }) => [id, sha256]));
  const video = videoSettings(job);
  const slides = timeline.entries.map((entry) => part('slide', slideContent(job, entry, video, digests)));
  const segments = timeline.entries.map((entry, i) => {
    const exit = entry.exit;
    return part('segment', {
      video,
      codec: videoCodecs[video.format],
      slide: slides[i]?.key ?? '',
      next: exit && slides[i + 1]?.key,
      holdFrames: entry.frames - (exit?.frames ?? 0),
      exit,
    });
  });
  const codec = videoCodecs[video.format];
  const stills = slides.map(({ key }) => part('still', { video, codec, slide: key }));
  const thumbSize = thumbnailSize(video);
  const thumbs = slides.map(({ key }) => part('thumb', { slide: key, ...thumbSize }));
  const sound = soundtrackContent(job, timeline, video.format, digests);
  return {
    video,
    slides,
    stills,
    thumbs,
    segments,
    init: part('init', { video, codec }),
    ...(sound ? { soundtrack: part('soundtrack', { ...sound, codec: audioCodecs[video.format] }) } : {}),
  };
}

/** The key of a part: the SHA-256 of its kind, the renderer's version and everything that decides its bytes. */
export function part<Content>(kind: string, content: Content): PlannedPart<Content> {
  const key = createHash('sha256')
    .update(canonicalJson({ kind, version: RENDERER_VERSION, content }))
    .digest('hex');
  return { kind, key, content };
}

function videoSettings(job: PreviewJob): VideoSettings {
  const options = job.previewRequest.options ?? {};
  const [width = 1280, height = 720] = (options.resolution ?? '1280x720').split('x').map(Number);
  return { format: options.format ?? 'mp4', width, height, fps: options.fps ?? 30 };
}

function slideContent(
  job: PreviewJob,
  entry: Entry,
  { width, height }: VideoSettings,
  digests: ReadonlyMap<string, string>,
): SlideContent {
  const { steps, title, description, options } = job.previewRequest;
  const theme: ThemeName = options?.theme ?? 'midnight';
  const frame = { kind: entry.kind, width, height, theme };
  if (entry.kind === 'title') {
    const cover = steps.find((step) => step.asset)?.asset;
    return { ...frame, title: title ?? 'Preview', text: description, photo: cover && digests.get(cover) };
  }
  const step = steps[entry.index];
  return {
    ...frame,
    title: step?.title,
    text: step?.text,
    photo: step?.asset && digests.get(step.asset),
    counter: { step: entry.index + 1, of: steps.length },
  };
}

function soundtrackContent(
  job: PreviewJob,
  timeline: Timeline,
  format: VideoFormat,
  digests: ReadonlyMap<string, string>,
): SoundtrackContent | undefined {
  const { steps, audio } = job.previewRequest;
  const voice = (asset: string, startFrame: number, gainDb = 0) => ({
    sha256: digests.get(asset) ?? '',
    startSeconds: startFrame / timeline.fps,
    gainDb,
  });
  const narration = timeline.entries.flatMap((entry) => {
    const asset = steps[entry.index]?.narration;
    return asset === undefined ? [] : [voice(asset, entry.startFrame)];
  });
  if (audio.narration) narration.push(voice(audio.narration.asset, 0, audio.narration.gainDb));
  const { music } = audio;
  if (narration.length === 0 && !music) return undefined;
  return {
    format,
    seconds: timeline.totalFrames / timeline.fps,
    narration,
    music: music && {
      sha256: digests.get(music.asset) ?? '',
      gainDb: music.gainDb ?? 0,
      loop: music.loop ?? true,
    },
    ducking: audio.ducking ?? true,
    loudnessLufs: audio.loudnessLufs ?? -16,
  };
}
