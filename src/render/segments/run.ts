import {
  type CodedPicture,
  fadeFrame,
  MAX_FADE_PICTURES,
  type ParameterSets,
  placePicture,
  repeatFrame,
} from '../../media/h264/stills.ts';
import { nalsToSample } from '../../media/mp4/fragments.ts';
import type { Sample } from '../../media/mp4/track.ts';
import { phasesOf } from '../shown/transition.ts';

/** Coded pictures that begin with a keyframe. Times are in frames from their start. */
export interface Run {
  sets: ParameterSets;
  /** In the order of decoding, each with the frame in which it is shown first. */
  pictures: readonly { nal: Buffer; at: number }[];
  /** Reference pictures in it, and the picture order count of the last one, with which it ends. */
  references: number;
  order: number;
  /** How long it lasts. */
  frames: number;
}

/** The first to be decoded is decoded when the first is shown, the second when the second is, and so on. */
export function samplesOf({ pictures, frames }: Run): Sample[] {
  const times = pictures.map(({ at }) => at).sort((a, b) => a - b);
  return pictures.map(({ nal, at }, i): Sample => {
    const time = times[i] as number;
    const duration = (times[i + 1] ?? frames) - time;
    return { data: nalsToSample([nal]), duration, offset: at - time, sync: i === 0 };
  });
}

/** Nothing is encoded: stills that were coded once are put one after the other. */
export function runOfStills(stills: readonly CodedPicture[], durations: readonly number[]): Run {
  let frames = 0;
  const pictures = stills.map((still, i) => {
    const at = frames;
    frames += durations[i] ?? 0;
    return { nal: placePicture(still, { references: i, order: i }), at };
  });
  const [first] = stills;
  if (!first) throw new Error('there is no still');
  return { sets: first.sets, pictures, references: stills.length, order: stills.length - 1, frames };
}

/** A decoder shows a picture when it has so many more: before those between two fades it decodes two that follow them. */
const REORDERED = 2;

/**
 * The same with last frames that repeat the picture before them: a player that stands in a segment of a single picture
 * would wait for ever for what comes after the end.
 */
export function withRepeats(run: Run): Run {
  const { sets, pictures, references, order, frames } = run;
  const start = frames - REORDERED;
  if (start <= (pictures.at(-1)?.at ?? 0)) return run;
  const repeats = Array.from({ length: REORDERED }, (_, i) => ({
    nal: repeatFrame(sets, { references, order: order + i + 1 }),
    at: start + i,
  }));
  return { ...run, pictures: [...pictures, ...repeats] };
}

/** A still, and the same without its words, which is predicted from it. */
export type StillPair = readonly [still: CodedPicture, wordless: CodedPicture];

/**
 * The run, and then the fade to a still that follows: the words leave, the pictures change, the other words come. Only
 * what each phase leads to is coded; the pictures between say no more than how far they are from both ends. The still is
 * decoded before its wordless one, which is predicted from it and shown sooner.
 */
export function withFade(run: Run, wordless: CodedPicture, next: StillPair, frames: number): Run {
  const { sets } = run;
  const phases = phasesOf({ type: 'fade', frames });
  const left = leg({ order: run.order, at: run.frames - 1 }, phases.leaving);
  const changed = leg(left.end, phases.changing);
  const come = leg(changed.end, phases.coming);
  const pictures = [...run.pictures];
  let { references } = run;
  const put = (picture: CodedPicture, { order, at }: Point): void => {
    pictures.push({ nal: placePicture(picture, { references, order }), at });
    references++;
  };
  const mix = ({ between }: Leg): void => {
    for (const { order, at } of between) pictures.push({ nal: fadeFrame(sets, { references, order }), at });
  };
  put(wordless, left.end);
  mix(left);
  put(next[0], come.end);
  // A fade of two frames never shows what follows without its words.
  if (phases.changing > 0) put(next[1], changed.end);
  mix(changed);
  mix(come);
  return { sets, pictures, references, order: come.end.order, frames: run.frames + frames };
}

interface Point {
  order: number;
  at: number;
}

interface Leg {
  /** Pictures on the way, and the one that it leads to. */
  between: Point[];
  end: Point;
}

function leg({ order, at }: Point, frames: number): Leg {
  const count = Math.max(0, Math.min(frames - 1, MAX_FADE_PICTURES));
  const between = Array.from({ length: count }, (_, i) => ({
    order: order + i + 1,
    at: at + 1 + Math.floor((i * (frames - 1)) / count),
  }));
  return { between, end: { order: frames > 0 ? order + count + 1 : order, at: at + frames } };
}
