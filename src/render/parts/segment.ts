import { transitionPicture, type YuvPicture } from '../../media/frame.ts';
import {
  type CodedStill,
  fadeFrame,
  MAX_FADE_PICTURES,
  placeStill,
  readStill,
  slicesOf,
} from '../../media/h264.ts';
import { fragment, nalsToSample, type Sample } from '../../media/mp4.ts';
import { encodeFrames, encodeSegment, type TimedPicture, timescaleOf } from '../../media/video.ts';
import type { SegmentContent } from '../plan.ts';
import type { Slides } from '../slides.ts';

type Exit = NonNullable<SegmentContent['exit']>;

/**
 * The segment of entry `index`: its slide as one still, then the transition to the next slide.
 * The next segment begins with that slide as its own keyframe, so segments know nothing of each other's bytes.
 * @returns for MP4 one fragment; for WebM a file of its own
 */
export async function makeSegment(content: SegmentContent, index: number, slides: Slides): Promise<Buffer> {
  const { exit, holdFrames, video } = content;
  if (video.format === 'webm') return encodeSegment(await timedPictures(content, index, slides), video);
  const samples =
    exit && exit.type !== 'fade'
      ? await encodedSamples(holdFrames, exit, index, slides, content)
      : await assembledSamples(holdFrames, exit, index, slides);
  const unit = timescaleOf(video) / video.fps;
  return fragment(
    samples.map((sample) => ({ ...sample, duration: sample.duration * unit, offset: sample.offset * unit })),
  );
}

/**
 * Nothing is encoded: the still, the still that follows, and between them the pictures of the fade, which say no more
 * than how far they are from both. They are decoded after the still that they lead to, one frame later than they are
 * shown. Durations and offsets are in frames.
 */
async function assembledSamples(
  holdFrames: number,
  exit: Exit | undefined,
  index: number,
  slides: Slides,
): Promise<Sample[]> {
  const [from, to] = await Promise.all([slides.still(index), exit && slides.still(index + 1)]);
  const still = readStill(from);
  const first = placeStill(still, { references: 0, order: 0 });
  const hold: Sample = { data: nalsToSample([first]), duration: holdFrames, offset: 0, sync: true };
  if (!exit || !to) return holdFrames > 1 ? withRepeat(hold, still) : [hold];
  const between = exit.frames - 1;
  const pictures = Math.min(between, MAX_FADE_PICTURES);
  const last = placeStill(readStill(to), { references: 1, order: pictures + 1 });
  const fade = Array.from({ length: pictures }, (_, i): Sample => {
    const data = nalsToSample([fadeFrame(still.sets, { references: 2, order: i + 1 })]);
    const start = Math.floor((i * between) / pictures);
    const end = Math.floor(((i + 1) * between) / pictures);
    return { data, duration: end - start, offset: -1, sync: false };
  });
  return [hold, { data: nalsToSample([last]), duration: 1, offset: between, sync: false }, ...fade];
}

/**
 * The same with a last frame that repeats the still. A decoder that reorders shows a picture when it has the next one:
 * a player that stands in a segment of a single picture would wait for ever for what comes after the end.
 */
function withRepeat(hold: Sample, still: CodedStill): Sample[] {
  // Both of its references are the still, and so is their mean.
  const repeat = fadeFrame(still.sets, { references: 1, order: 1 });
  return [
    { ...hold, duration: hold.duration - 1 },
    { data: nalsToSample([repeat]), duration: 1, offset: 0, sync: false },
  ];
}

async function encodedSamples(
  holdFrames: number,
  exit: Exit,
  index: number,
  slides: Slides,
  { video }: SegmentContent,
): Promise<Sample[]> {
  const [from, to] = await Promise.all([slides.picture(index), slides.picture(index + 1)]);
  const { frames } = await encodeFrames(moving(exit, from, to), video);
  return frames.map((frame, i) => ({
    data: nalsToSample(slicesOf(frame)),
    duration: i === 0 ? holdFrames : 1,
    offset: 0,
    sync: i === 0,
  }));
}

function* moving(exit: Exit, from: YuvPicture, to: YuvPicture): Generator<YuvPicture> {
  yield from;
  for (let i = 1; i <= exit.frames; i++) yield transitionPicture(exit.type, from, to, i / (exit.frames + 1));
}

async function timedPictures(
  { holdFrames, exit }: SegmentContent,
  index: number,
  slides: Slides,
): Promise<TimedPicture[]> {
  const from = await slides.picture(index);
  const pictures: TimedPicture[] = [{ frames: holdFrames, make: () => from }];
  if (!exit) return pictures;
  const to = await slides.picture(index + 1);
  for (let i = 1; i <= exit.frames; i++) {
    const progress = i / (exit.frames + 1);
    pictures.push({ frames: 1, make: () => transitionPicture(exit.type, from, to, progress) });
  }
  return pictures;
}
