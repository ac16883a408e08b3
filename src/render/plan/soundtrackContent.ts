import type { PreviewJob } from '../../job/previewJob.types.ts';
import type { VideoFormat } from '../../media/codecs.ts';
import type { Timeline } from '../timeline/timeline.ts';
import type { Assets } from './planAsset.ts';

/** Everything that decides how a preview sounds, and so the key of its soundtrack. */
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

/** The sound of a video that a step shows, from the video's start. */
export interface VideoSound {
  sha256: string;
  startSeconds: number;
  seconds: number;
  /** How long it takes to fade out, at the end of `seconds`. */
  fadeSeconds: number;
  gainDb: number;
}

/**
 * What is to be heard; undefined where the preview is silent.
 * @param sounding length in seconds of the videos that have a sound, by asset id
 */
export function soundtrackContent(
  { previewRequest: { steps, audio } }: PreviewJob,
  timeline: Timeline,
  format: VideoFormat,
  assets: Assets,
  sounding: ReadonlyMap<string, number>,
): SoundtrackContent | undefined {
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
