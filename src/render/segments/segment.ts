import { atOnce } from '../../concurrency/atOnce.ts';
import { timescaleOf } from '../../media/codecs.ts';
import { slicesOf } from '../../media/h264/nal.ts';
import { type CodedPicture, readParameterSets, readPicture, readPictures } from '../../media/h264/stills.ts';
import { fragment } from '../../media/mp4/fragments.ts';
import { type IndexedSample, indexed } from '../../media/mp4/movie.ts';
import type { YuvPicture } from '../../media/picture/frame.ts';
import { encodeSegment } from '../../media/video/video.ts';
import type { StoredPart } from '../../storage/artifactStore.ts';
import type { Made } from '../parts/partMaker.ts';
import { PICTURES_AT_ONCE } from '../picturesAtOnce.ts';
import type { PlannedEntry } from '../plan/plan.ts';
import { moves, plays } from '../plan/slideContent.ts';
import { type Shown, show } from '../shown/show.ts';
import { showWithTransition, type TimedPicture } from '../shown/showWithTransition.ts';
import type { Workbench } from '../workbench.ts';
import { type Run, runOfStills, samplesOf, withFade, withRepeats } from './run.ts';
import { makeStill } from './still.ts';

export type SegmentBench = Pick<Workbench, 'parts' | 'slides' | 'encoder' | 'signal'>;

/**
 * The segment of an entry: what it shows, then the transition to the next entry.
 * The next segment begins with its own keyframe, so segments know nothing of each other's bytes.
 * @returns for MP4 one fragment, and an index of it beside it; for WebM a file of its own
 */
export async function makeSegment(
  entry: PlannedEntry,
  next: PlannedEntry | undefined,
  bench: SegmentBench,
): Promise<Made> {
  const { video } = entry.segment.content;
  if (video.format === 'webm') {
    return { bytes: await encodeSegment(showWithTransition(entry, next, bench.slides, bench.signal), video) };
  }
  const unit = timescaleOf(video) / video.fps;
  const samples = samplesOf(await makeRun(entry, next, bench)).map((sample) => ({
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

async function makeRun(
  entry: PlannedEntry,
  next: PlannedEntry | undefined,
  bench: SegmentBench,
): Promise<Run> {
  const { exit } = entry.segment.content;
  if (!exit || !next) return withRepeats((await makeHeldRun(entry, bench)).run);
  if (exit.type !== 'fade' || plays(entry.slides[0].content)) {
    return encode(showWithTransition(entry, next, bench.slides, bench.signal), bench);
  }
  const [{ run, wordless }, [still, stillWordless]] = await Promise.all([
    makeHeldRun(entry, bench),
    makeStill(next.slides[0], next, bench).then(readPictures),
  ]);
  if (!wordless || !still || !stillWordless) throw new Error('a still in a fade has one without its words');
  return withFade(run, wordless, [still, stillWordless], exit.frames);
}

/** What an entry shows until its transition, and where that is a fade the last of it without its words. */
async function makeHeldRun(
  entry: PlannedEntry,
  bench: SegmentBench,
): Promise<{ run: Run; wordless?: CodedPicture | undefined }> {
  const { slides, segment } = entry;
  if (!moves(slides[0].content)) {
    const bytes = await atOnce(slides, PICTURES_AT_ONCE, (slide) => makeStill(slide, entry, bench));
    const stills = bytes.map(readPictures);
    const shown = stills.flatMap(([still]) => (still ? [still] : []));
    const durations = slides.map(({ frames }) => frames);
    return { run: runOfStills(shown, durations), wordless: stills.at(-1)?.[1] };
  }
  const { exit } = segment.content;
  const run = await encode(pictures(show(entry, bench.slides, bench.signal), exit !== undefined), bench);
  if (!exit) return { run };
  const last = run.pictures.at(-1);
  return { run: withoutLast(run), wordless: last && readPicture(run.sets, last.nal) };
}

/** With their words; and then, where they leave, the last one once more without. */
async function* pictures(held: AsyncIterable<Shown>, leave: boolean): AsyncGenerator<TimedPicture> {
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
async function encode(
  shown: AsyncIterable<TimedPicture>,
  { encoder }: Pick<Workbench, 'encoder'>,
): Promise<Run> {
  const times: number[] = [];
  let end = 0;
  const timed = async function* (): AsyncGenerator<YuvPicture> {
    for await (const { picture, frames } of shown) {
      times.push(end);
      end += frames;
      yield picture;
    }
  };
  const { parameters, frames } = await encoder.encode(timed());
  const coded = frames.flatMap(slicesOf).map((nal, i) => ({ nal, at: times[i] ?? end }));
  const order = ORDER_STEP * (coded.length - 1);
  return {
    sets: readParameterSets(parameters),
    pictures: coded,
    references: coded.length,
    order,
    frames: end,
  };
}

/** Without its last picture, which was there for one frame. */
const withoutLast = ({ sets, pictures, references, order, frames }: Run): Run => ({
  sets,
  pictures: pictures.slice(0, -1),
  references: references - 1,
  order: order - ORDER_STEP,
  frames: frames - 1,
});
