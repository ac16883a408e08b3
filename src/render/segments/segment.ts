import { timescaleOf } from '../../media/codecs.ts';
import { slicesOf } from '../../media/h264/nal.ts';
import { type CodedPicture, readParameterSets, readPicture, readPictures } from '../../media/h264/stills.ts';
import { fragment } from '../../media/mp4/fragments.ts';
import { type IndexedSample, indexed } from '../../media/mp4/movie.ts';
import type { YuvPicture } from '../../media/picture/frame.ts';
import { encodeSegment } from '../../media/video/video.ts';
import type { StoredPart } from '../../storage/artifactStore.ts';
import type { Made } from '../parts/partMaker.ts';
import type { Plan, SegmentContent } from '../plan/plan.ts';
import { transitionFrame } from '../shown/transition.ts';
import type { Shown } from '../slides/overlay.ts';
import type { Slides } from '../slides/slides.ts';
import { type Run, runOfStills, samplesOf, withFade, withRepeats } from './run.ts';

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
  const samples = samplesOf(await runOf(content, index, slides)).map((sample) => ({
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

async function runOf(content: SegmentContent, index: number, slides: Slides): Promise<Run> {
  const { exit } = content;
  if (!exit) return withRepeats((await heldRun(content, index, slides)).run);
  if (exit.type !== 'fade' || slides.plays(index)) return encode(pictures(index, content, slides), slides);
  const [{ run, wordless }, next] = await Promise.all([
    heldRun(content, index, slides),
    slides.still(index + 1).then(readPictures),
  ]);
  const [still, stillWordless] = next;
  if (!wordless || !still || !stillWordless) throw new Error('a still in a fade has one without its words');
  return withFade(run, wordless, [still, stillWordless], exit.frames);
}

/** What an entry shows until its transition, and where that is a fade the last of it without its words. */
async function heldRun(
  { held, exit }: SegmentContent,
  index: number,
  slides: Slides,
): Promise<{ run: Run; wordless?: CodedPicture | undefined }> {
  if (!slides.moves(index)) {
    const stills = (await slides.stills(index)).map(readPictures);
    const shown = stills.flatMap(([still]) => (still ? [still] : []));
    const durations = held.map(({ frames }) => frames);
    return { run: runOfStills(shown, durations), wordless: stills.at(-1)?.[1] };
  }
  const run = await encode(heldPictures(slides.held(index), exit !== undefined), slides);
  if (!exit) return { run };
  const last = run.pictures.at(-1);
  return { run: withoutLast(run), wordless: last && readPicture(run.sets, last.nal) };
}

type Pictures = AsyncGenerator<{ picture: YuvPicture; frames: number }>;

/** With their words; and then, where they leave, the last one once more without. */
async function* heldPictures(held: ReturnType<Slides['held']>, leave: boolean): Pictures {
  let last: Shown | undefined;
  for await (const shown of held) {
    last = shown;
    yield { picture: shown.picture(), frames: shown.frames };
  }
  if (leave && last) yield { picture: last.wordless(), frames: 1 };
}

/** x264 counts two for each picture. */
const ORDER_STEP = 2;

/** Each picture is predicted from the one before it. */
async function encode(shown: Pictures, slides: Slides): Promise<Run> {
  const times: number[] = [];
  let end = 0;
  const { parameters, frames } = await slides.encode(
    (async function* () {
      for await (const { picture, frames: shownFor } of shown) {
        times.push(end);
        end += shownFor;
        yield picture;
      }
    })(),
  );
  const pictures = frames.flatMap(slicesOf).map((nal, i) => ({ nal, at: times[i] ?? end }));
  const order = ORDER_STEP * (pictures.length - 1);
  return { sets: readParameterSets(parameters), pictures, references: pictures.length, order, frames: end };
}

/** Without its last picture, which was there for one frame. */
const withoutLast = ({ sets, pictures, references, order, frames }: Run): Run => ({
  sets,
  pictures: pictures.slice(0, -1),
  references: references - 1,
  order: order - ORDER_STEP,
  frames: frames - 1,
});

/** Everything that an entry shows, its transition included, as pictures. */
export const shownPictures = (plan: Plan, index: number, slides: Slides): Pictures =>
  pictures(index, plan.entries[index]?.segment.content ?? { held: [] }, slides);

async function* pictures(
  index: number,
  { held, exit }: Pick<SegmentContent, 'held' | 'exit'>,
  slides: Slides,
): Pictures {
  const until = held.reduce((sum, { frames }) => sum + frames, 0);
  const count = exit?.frames ?? 0;
  let last: Shown | undefined;
  let frame = 0;
  const mixed = async (from: Shown): Promise<{ picture: YuvPicture; frames: number }> => {
    const to = await slides.first(index + 1);
    frame++;
    return { picture: transitionFrame(exit as Exit, frame - until, from, to), frames: 1 };
  };
  for await (const shown of slides.held(index, count)) {
    last = shown;
    if (frame >= until) {
      yield await mixed(shown);
      continue;
    }
    frame += shown.frames;
    yield { picture: shown.picture(), frames: shown.frames };
  }
  // What does not play on stands under the transition.
  while (last && frame < until + count) yield await mixed(last);
}
