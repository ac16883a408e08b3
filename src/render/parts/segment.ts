import { timescaleOf } from '../../media/codecs.ts';
import { transitionPicture, type YuvPicture } from '../../media/frame.ts';
import { slicesOf } from '../../media/h264/nal.ts';
import {
  type CodedStill,
  fadeFrame,
  MAX_FADE_PICTURES,
  placeStill,
  readStill,
} from '../../media/h264/stills.ts';
import { fragment, nalsToSample } from '../../media/mp4/fragments.ts';
import { type IndexedSample, indexed } from '../../media/mp4/movie.ts';
import type { Sample } from '../../media/mp4/track.ts';
import { encodeSegment } from '../../media/video.ts';
import type { StoredPart } from '../../storage/artifactStore.ts';
import type { Made } from '../partMaker.ts';
import type { Plan, SegmentContent } from '../plan.ts';
import type { Slides } from '../slides.ts';

type Exit = NonNullable<SegmentContent['exit']>;

/**
 * The segment of entry `index`: what it shows, then the transition to the next entry.
 * The next segment begins with its own keyframe, so segments know nothing of each other's bytes.
 * @returns for MP4 one fragment, and an index of it beside it; for WebM a file of its own
 */
export async function makeSegment(content: SegmentContent, index: number, slides: Slides): Promise<Made> {
  const { video } = content;
  if (video.format === 'webm') return { bytes: await encodeSegment(pictures(index, content, slides), video) };
  const unit = timescaleOf(video) / video.fps;
  const samples = (await samplesOf(content, index, slides)).map((sample) => ({
    ...sample,
    duration: sample.duration * unit,
    offset: sample.offset * unit,
  }));
  return { bytes: fragment(samples), meta: { samples: indexed(samples) } };
}

/** The index of a segment that {@link makeSegment} made; with it the finished file is laid out before a byte is read. */
export function samplesIn(segment: StoredPart): IndexedSample[] {
  return (segment.meta?.samples as IndexedSample[] | undefined) ?? [];
}

/** Durations and offsets are in frames. */
async function samplesOf(content: SegmentContent, index: number, slides: Slides): Promise<Sample[]> {
  const { held, exit } = content;
  if (exit && (exit.type !== 'fade' || slides.plays(index)))
    return (await encode(pictures(index, content, slides), slides)).samples;
  const [run, next] = await Promise.all([
    slides.moves(index)
      ? encode(slides.held(index), slides)
      : slides.stills(index).then((stills) => placeStills(stills, held)),
    exit && slides.still(index + 1),
  ]);
  if (exit && next) return [...run.samples, ...fade(run, readStill(next), exit)];
  return withRepeat(run);
}

/** Samples that begin with a keyframe and are shown in the order in which they are decoded. */
interface Run {
  samples: Sample[];
  /** Reference pictures in it, and the picture order count of the last one. */
  references: number;
  order: number;
  /** The last picture, where it is a still. */
  still?: CodedStill;
}

/** Nothing is encoded: stills that were coded once are put one after the other. */
function placeStills(coded: readonly Buffer[], held: SegmentContent['held']): Run {
  const stills = coded.map(readStill);
  const samples = stills.map((still, i): Sample => {
    const data = nalsToSample([placeStill(still, { references: i, order: i })]);
    return { data, duration: held[i]?.frames ?? 0, offset: 0, sync: i === 0 };
  });
  const last = stills.at(-1);
  return { samples, references: stills.length, order: stills.length - 1, ...(last ? { still: last } : {}) };
}

async function encode(
  shown: AsyncIterable<{ picture: YuvPicture; frames: number }>,
  slides: Slides,
): Promise<Run> {
  const durations: number[] = [];
  const { frames } = await slides.encode(
    (async function* () {
      for await (const { picture, frames: shownFor } of shown) {
        durations.push(shownFor);
        yield picture;
      }
    })(),
  );
  const samples = frames.map((frame, i): Sample => {
    const data = nalsToSample(slicesOf(frame));
    return { data, duration: durations[i] ?? 1, offset: 0, sync: i === 0 };
  });
  // x264 counts two for each picture.
  return { samples, references: frames.length, order: 2 * (frames.length - 1) };
}

/**
 * The still that follows, and between it and what is there the pictures of the fade, which say no more than how far they
 * are from both. They are decoded after the still that they lead to, one frame later than they are shown.
 */
function fade({ references, order }: Run, to: CodedStill, exit: Exit): Sample[] {
  const between = exit.frames - 1;
  const count = Math.min(between, MAX_FADE_PICTURES);
  const last = placeStill(to, { references, order: order + count + 1 });
  const mixed = Array.from({ length: count }, (_, i): Sample => {
    const picture = fadeFrame(to.sets, { references: references + 1, order: order + i + 1 });
    const start = Math.floor((i * between) / count);
    const end = Math.floor(((i + 1) * between) / count);
    return { data: nalsToSample([picture]), duration: end - start, offset: -1, sync: false };
  });
  return [{ data: nalsToSample([last]), duration: 1, offset: between, sync: false }, ...mixed];
}

/**
 * The same with a last frame that repeats the still. A decoder that reorders shows a picture when it has the next one:
 * a player that stands in a segment of a single picture would wait for ever for what comes after the end.
 */
function withRepeat({ samples, references, order, still }: Run): Sample[] {
  const last = samples.at(-1);
  if (!still || !last || last.duration < 2) return samples;
  const place = { references, order: order + 1 };
  // Where there is one still, both references of a fade are that one, and so is their mean.
  const picture = references === 1 ? fadeFrame(still.sets, place) : placeStill(still, place);
  const repeat: Sample = { data: nalsToSample([picture]), duration: 1, offset: 0, sync: false };
  return [...samples.slice(0, -1), { ...last, duration: last.duration - 1 }, repeat];
}

/** Everything that an entry shows, its transition included, as pictures. */
export const shownPictures = (plan: Plan, index: number, slides: Slides) =>
  pictures(index, plan.entries[index]?.segment.content ?? { held: [] }, slides);

async function* pictures(
  index: number,
  { held, exit }: Pick<SegmentContent, 'held' | 'exit'>,
  slides: Slides,
): AsyncGenerator<{ picture: YuvPicture; frames: number }> {
  const until = held.reduce((sum, { frames }) => sum + frames, 0);
  const count = exit?.frames ?? 0;
  let last: YuvPicture | undefined;
  let frame = 0;
  const mixed = async (): Promise<{ picture: YuvPicture; frames: number }> => {
    const { type } = exit as Exit;
    const to = await slides.picture(index + 1);
    frame++;
    return {
      picture: transitionPicture(type, last as YuvPicture, to, (frame - until) / (count + 1)),
      frames: 1,
    };
  };
  for await (const shown of slides.held(index, count)) {
    last = shown.picture;
    if (frame >= until) {
      yield await mixed();
      continue;
    }
    frame += shown.frames;
    yield shown;
  }
  // What does not play on stands under the transition.
  while (last && frame < until + count) yield await mixed();
}
