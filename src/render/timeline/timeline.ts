import { PreviewError } from '../../errors.ts';
import type { PreviewRequest, Step } from '../../job/previewJob.types.ts';
import { hasTitleCard } from '../../job/titleCard.ts';
import type { TransitionType } from '../../media/picture/frame.ts';

/** One thing on the screen: the title card or a step. Times are whole frames from the start of the preview. */
export interface Entry {
  kind: 'title' | 'step';
  /** The step's index from 0; -1 for the title card. */
  index: number;
  id: string;
  /** What a chapter is called. */
  label: string;
  startFrame: number;
  frames: number;
  /** How the next entry comes: the last `frames` of this one. Absent where it is a cut, and at the end. */
  exit?: { type: TransitionType; frames: number };
}

export interface Timeline {
  fps: number;
  entries: Entry[];
  totalFrames: number;
}

const TITLE_CARD_SECONDS = 3;
/** Silence after a narration before the next step begins. */
const NARRATION_TAIL_SECONDS = 0.6;
/** Characters a second that a reader of captions follows without haste. */
const READING_RATE = 15;
const MIN_STEP_SECONDS = 2.5;
/** A step that shows a video lasts as long as the video, within what a step may last. */
const [MIN_CLIP_SECONDS, MAX_CLIP_SECONDS] = [0.5, 120];
const DEFAULT_TRANSITION_SECONDS = 0.5;
/** A preview is a preview. */
const MAX_SECONDS = 3600;

/** What the title card says. */
export const titleOf = ({ title = 'Preview' }: PreviewRequest): string => title;

/** When an entry begins and ends, in seconds from the start of the preview. */
export const secondsOf = (
  { startFrame, frames }: Entry,
  fps: number,
): { startSeconds: number; endSeconds: number } => ({
  startSeconds: startFrame / fps,
  endSeconds: (startFrame + frames) / fps,
});

/**
 * Lays the title card and the steps on the timeline.
 * @param assetSeconds length of each sound and video by asset id
 * @throws PreviewError `preview_too_long` past one hour
 */
export function buildTimeline(
  request: PreviewRequest,
  assetSeconds: ReadonlyMap<string, number>,
  fps: number,
): Timeline {
  const entries: Entry[] = [];
  const seconds: number[] = [];
  if (hasTitleCard(request)) {
    entries.push({
      kind: 'title',
      index: -1,
      id: 'title',
      label: titleOf(request),
      startFrame: 0,
      frames: 0,
    });
    seconds.push(TITLE_CARD_SECONDS);
  }
  request.steps.forEach((step, index) => {
    entries.push({
      kind: 'step',
      index,
      id: step.id ?? `step-${index + 1}`,
      label: step.title ?? step.text?.slice(0, 60) ?? `Step ${index + 1}`,
      startFrame: 0,
      frames: 0,
    });
    seconds.push(stepSeconds(step, assetSeconds));
  });

  // Rounding each boundary, not each length, keeps the sound in step however many steps there are.
  let end = 0;
  entries.forEach((entry, i) => {
    entry.startFrame = Math.round(end * fps);
    end += seconds[i] ?? 0;
    entry.frames = Math.round(end * fps) - entry.startFrame;
  });
  if (end > MAX_SECONDS) {
    throw new PreviewError(
      'preview_too_long',
      `The preview would last ${Math.round(end)} s; at most ${MAX_SECONDS} s are rendered. Use fewer or shorter steps.`,
    );
  }
  entries.forEach((entry, i) => {
    const next = entries[i + 1];
    const exit = next && exitBefore(request.steps[next.index], entry.frames, fps);
    if (exit) entry.exit = exit;
  });
  return { fps, entries, totalFrames: Math.round(end * fps) };
}

function stepSeconds(step: Step, assetSeconds: ReadonlyMap<string, number>): number {
  if (step.durationSeconds !== undefined) return step.durationSeconds;
  const narration = step.narration === undefined ? undefined : assetSeconds.get(step.narration);
  if (narration !== undefined) return Math.max(narration + NARRATION_TAIL_SECONDS, MIN_STEP_SECONDS);
  const clip = assetSeconds.get(step.asset ?? '');
  if (clip !== undefined) return Math.min(MAX_CLIP_SECONDS, Math.max(MIN_CLIP_SECONDS, clip));
  const characters = (step.title?.length ?? 0) + (step.text?.length ?? 0);
  return Math.max(characters / READING_RATE, MIN_STEP_SECONDS);
}

/** The transition of `step` plays over the end of what is before it, of which it leaves at least half; one frame is a cut. */
function exitBefore(step: Step | undefined, framesBefore: number, fps: number): Entry['exit'] {
  const type = step?.transition?.type ?? 'fade';
  if (type === 'none') return undefined;
  const wanted = Math.round((step?.transition?.durationSeconds ?? DEFAULT_TRANSITION_SECONDS) * fps);
  const frames = Math.min(wanted, Math.floor(framesBefore / 2));
  return frames > 1 ? { frames, type } : undefined;
}
