import type { PreviewJob } from '../../job/previewJob.types.ts';
import { readResolution } from '../../job/resolution.ts';
import { audioCodecs, type VideoSettings, videoCodecs } from '../../media/codecs.ts';
import { type PlannedPart, part } from '../parts/part.ts';
import type { Entry, Timeline } from '../timeline/timeline.ts';
import type { PlanAsset } from './planAsset.ts';
import { type SlideContent, slideContents } from './slideContent.ts';
import { type SoundtrackContent, soundtrackContent } from './soundtrackContent.ts';
import { thumbnailSize } from './thumbnailSize.ts';

export interface ThumbnailContent {
  slide: string;
  width: number;
  height: number;
}

export interface SegmentContent {
  video: VideoSettings;
  /** Keys of the slides that are shown one after the other; more than one where captions change. */
  held: { slide: string; frames: number }[];
  /** Key of the slide that follows, where there is a transition to it. */
  next?: string | undefined;
  exit?: Entry['exit'];
}

/** A slide and its coded still; where its words come or leave in a fade, the still has one without words behind it. */
export interface PlannedSlide extends PlannedPart<SlideContent> {
  /** Which entry of the timeline shows it, from 0. */
  entry: number;
  still: PlannedPart<{ wordless: boolean }>;
  frames: number;
}

/** An entry of the timeline. */
export interface PlannedEntry {
  /** Only captions differ between the slides of an entry. */
  slides: readonly [PlannedSlide, ...PlannedSlide[]];
  thumb: PlannedPart<ThumbnailContent>;
  segment: PlannedPart<SegmentContent>;
}

export interface Plan {
  video: VideoSettings;
  /** At least one. */
  entries: readonly [PlannedEntry, ...PlannedEntry[]];
  /** What a player needs before the first segment. */
  init: PlannedPart<unknown>;
  soundtrack?: PlannedPart<SoundtrackContent>;
}

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
  const known = new Map(assets.map((asset) => [asset.id, asset]));
  const video = videoSettings(job);
  const codec = videoCodecs[video.format];
  const fades = (entry: Entry | undefined): boolean => entry?.exit?.type === 'fade';
  const shown = timeline.entries.map((entry, i) => {
    const [comes, leaves] = [fades(timeline.entries[i - 1]), fades(entry)];
    const slides = slideContents(job, entry, timeline, video, known);
    return notEmpty(
      slides.map(({ content, frames }, j): PlannedSlide => {
        const slide = part('slide', content);
        const wordless = (comes && j === 0) || (leaves && j === slides.length - 1);
        const still = part('still', { codec, slide: slide.key, video, wordless });
        return { ...slide, entry: i, frames, still };
      }),
    );
  });
  const entries = shown.map((slides, i): PlannedEntry => {
    const exit = timeline.entries[i]?.exit;
    return {
      slides,
      thumb: part('thumb', { slide: slides[0].key, ...thumbnailSize(video) }),
      segment: part('segment', {
        codec,
        exit,
        held: slides.map(({ key, frames }) => ({ frames, slide: key })),
        next: exit && shown[i + 1]?.[0].key,
        video,
      }),
    };
  });
  const sound = soundtrackContent(job, timeline, video.format, known, sounding);
  return {
    video,
    entries: notEmpty(entries),
    init: part('init', { codec, video }),
    ...(sound ? { soundtrack: part('soundtrack', { ...sound, codec: audioCodecs[video.format] }) } : {}),
  };
}

function notEmpty<Item>(items: readonly Item[]): readonly [Item, ...Item[]] {
  const [first, ...others] = items;
  if (first === undefined) throw new Error('a preview shows at least one slide');
  return [first, ...others];
}

function videoSettings({ previewRequest: { options = {} } }: PreviewJob): VideoSettings {
  const { width, height } = readResolution(options.resolution);
  return { format: options.format ?? 'mp4', fps: options.fps ?? 30, height, width };
}
