import { availableParallelism } from 'node:os';
import { createSemaphore } from '../../concurrency/semaphore.ts';
import { PreviewError } from '../../errors.ts';
import type { Warning } from '../../job/jobRecord.ts';
import { yuvToRgb } from '../../media/picture/convert.ts';
import type { YuvPicture } from '../../media/picture/frame.ts';
import { probeImage, type RgbPicture } from '../../media/picture/image.ts';
import { dimOutside, resampleView } from '../../media/picture/view.ts';
import { readClip } from '../../media/video/clip.ts';
import { type CodedFrames, encodeFrames } from '../../media/video/video.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';
import { atOnce } from '../atOnce.ts';
import { findParts } from '../parts/findParts.ts';
import type { PartMaker } from '../parts/partMaker.ts';
import { PICTURES_AT_ONCE } from '../picturesAtOnce.ts';
import { replaced, undecodable } from '../plan/checkPictures.ts';
import type { Plan, PlannedEntry, PlannedSlide } from '../plan/plan.ts';
import type { Stopwatch } from '../stopwatch.ts';
import { type Background, paintBackground, placePhoto } from './background.ts';
import type { Backgrounds } from './backgroundCache.ts';
import { type Movement, movementOf } from './motion.ts';
import { overlayOf, type Shown } from './overlay.ts';
import { paintSlide, type SlideContent } from './paintSlide.ts';

/** The pictures of a render by their entry on the timeline, in the forms in which they are wanted. */
export interface Slides {
  /** What an entry begins with. */
  first(index: number): Promise<Shown>;
  /**
   * H.264: parameter sets and an IDR picture (annex B), of an entry's first picture; where words leave or come in a fade a
   * P picture follows, which is the same without them.
   */
  still(index: number): Promise<Buffer>;
  /** The stills of an entry, one for each of its slides. */
  stills(index: number): Promise<Buffer[]>;
  /** Encodes pictures for this preview, and counts them. */
  encode(pictures: Pictures): Promise<CodedFrames>;
  framesEncoded(): number;
  moves(index: number): boolean;
  /** True for a video, which plays on under its transition; a photo has come to rest by then. */
  plays(index: number): boolean;
  /** What an entry shows until its transition, each for so many frames; of a video `beyond` frames more. */
  held(index: number, beyond?: number): AsyncGenerator<Shown & { frames: number }>;
  /** A small picture for the sheet of all of them. */
  thumb(index: number): Promise<RgbPicture>;
  /** What composing them had to say, now or when they were made. */
  warnings(): Promise<Warning[]>;
}

type Pictures = AsyncIterable<YuvPicture> | Iterable<YuvPicture>;

interface Composed extends Shown {
  warnings: Warning[];
}

/** Encoders of stills at the same time: each has 50 MB at 1920x1080. They share the cores, and libuv's four threads. */
const ENCODERS = Math.min(availableParallelism(), 4);
/** Composed slides kept in memory: one is wanted by its own segment and by the one before it. */
const KEPT = 4;

export function createSlides({
  plan,
  parts,
  store,
  stopwatch,
  backgrounds,
  signal,
}: {
  plan: Plan;
  parts: PartMaker;
  store: ArtifactStore;
  stopwatch: Stopwatch;
  backgrounds: Backgrounds;
  signal: AbortSignal;
}): Slides {
  const kept = new Map<string, Promise<Composed>>();
  const encoder = createSemaphore(ENCODERS);
  let encoded = 0;
  const encode = async (pictures: Pictures): Promise<CodedFrames> => {
    const coded = await encodeFrames(pictures, plan.video);
    encoded += coded.frames.length;
    return coded;
  };
  const read = (sha256: string | undefined): Promise<Buffer> | undefined =>
    sha256 === undefined ? undefined : store.readObject(sha256);

  const photoOf = async (content: SlideContent, scale?: number): Promise<Background> => {
    const paint = async () => paintBackground(content, await read(content.photo), scale);
    if (!content.photo || scale !== undefined) return paint();
    const { photo, width, height, theme, brandColor, mirrored } = content;
    const shared = await backgrounds.get(
      JSON.stringify([photo, width, height, theme, brandColor, mirrored]),
      paint,
    );
    const data = Buffer.from(shared.picture.data);
    return { ...shared, picture: { ...shared.picture, data } };
  };
  const background = async (
    content: SlideContent,
    index: number,
    scale?: number,
  ): Promise<Background & { warnings: Warning[] }> => {
    try {
      if (content.clip) return { ...(await firstOf(content)), warnings: [] };
      return { ...(await photoOf(content, scale)), warnings: [] };
    } catch (cause) {
      const warnings = [replaced(content, undecodable(index, cause))];
      return { ...(await paintBackground(content, undefined, scale)), warnings };
    }
  };

  const frames = async function* (content: SlideContent): AsyncGenerator<YuvPicture> {
    const { clip, width, height } = content;
    if (clip)
      yield* readClip(await store.readObject(clip.sha256), clip.demuxer, { width, height, fps: clip.fps });
  };
  const firstOf = async (content: SlideContent): Promise<Background> => {
    for await (const picture of frames(content)) {
      return { picture, place: { left: 0, top: 0, width: 1, height: 1 } };
    }
    throw new Error('it has no picture');
  };

  /** What an entry begins with: the transition to it ends with the picture that then begins to move. */
  const opening = async (
    content: SlideContent,
    index: number,
  ): Promise<{ picture: YuvPicture; warnings: Warning[] }> => {
    const movement = await movementIn(content);
    if (!movement) return background(content, index);
    const { picture: source, warnings } = await background(content, index, movement.scale);
    const picture = resampleView(source, movement.at(0).view, content.width, content.height);
    return { picture, warnings };
  };
  /** How the view of a photo moves; undefined where it stands, or its header cannot be read. */
  const movementIn = async (content: SlideContent): Promise<Movement | undefined> => {
    const photo = await (isMoving(content) ? read(content.photo) : undefined);
    const header = await (photo && probeImage(photo).catch(() => undefined));
    return header && movementOf(content, content, placePhoto(header, content, content.mirrored));
  };

  const compose = (slide: PlannedSlide, index: number): Promise<Composed> =>
    stopwatch.time('slides', async () => {
      const { content } = slide;
      const { picture, warnings } = await opening(content, index);
      const painted = await paintSlide(picture, content, await read(content.logo));
      return {
        picture: () => picture,
        wordless: () => painted.wordless,
        warnings: [...warnings, ...painted.warnings],
      };
    });

  const composed = (slide: PlannedSlide, index: number): Promise<Composed> => {
    const present = kept.get(slide.key) ?? compose(slide, index);
    kept.delete(slide.key);
    kept.set(slide.key, present);
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT) break;
      kept.delete(oldest);
    }
    return present;
  };
  const first = (index: number): Promise<Composed> => composed(firstSlide(plan, index), index);

  const thumb = async (index: number): Promise<RgbPicture> => {
    const planned = entryOf(plan, index).thumb;
    const { width, height } = planned.content;
    const data = await parts.bytes(planned, async () => {
      const { picture, warnings } = await first(index);
      return { bytes: (await yuvToRgb(picture(), width, height)).data, meta: { warnings } };
    });
    return { width, height, data };
  };

  const still = (slide: PlannedSlide, index: number): Promise<Buffer> =>
    parts.bytes(slide.still, async () => {
      const { picture, wordless } = await composed(slide, index);
      const shown = slide.still.content.wordless ? [picture(), wordless()] : [picture()];
      // The thumbnail is made now, while the slide is at hand.
      const [coded] = await Promise.all([encoder(() => encode(shown)), thumb(index)]);
      return { bytes: Buffer.concat([coded.parameters, ...coded.frames]) };
    });

  const overlay = async (content: SlideContent) => overlayOf(content, await read(content.logo));

  /** A video under the words; its last picture stands until the step ends. */
  async function* playing(index: number, beyond: number): ReturnType<Slides['held']> {
    const { slides } = entryOf(plan, index);
    const { content } = firstSlide(plan, index);
    const source = frames(content);
    let last: YuvPicture | undefined;
    try {
      for (const slide of slides) {
        const over = await overlay(slide.content);
        const count = slide.frames + (slide === slides.at(-1) ? beyond : 0);
        for (let i = 0; i < count; i++) {
          const next = await source.next().catch((cause: unknown) => {
            // A video that breaks off stands still; one that never begins cannot be shown.
            if (last) return { done: true as const, value: undefined };
            throw undecodable(index, cause);
          });
          last = next.done ? last : next.value;
          if (!last) throw undecodable(index, new Error('it has no picture'));
          yield { ...over(last), frames: 1 };
        }
      }
    } finally {
      await source.return(undefined);
    }
  }

  async function* moving(index: number): ReturnType<Slides['held']> {
    const { slides } = entryOf(plan, index);
    const { content } = firstSlide(plan, index);
    const movement = await movementIn(content);
    if (!movement) {
      yield* standing(index);
      return;
    }
    const { picture: source } = await background(content, index, movement.scale);
    const total = slides.reduce((sum, { frames }) => sum + frames, 0);
    let frame = 0;
    for (const slide of slides) {
      const over = await overlay(slide.content);
      for (let i = 0; i < slide.frames; i++, frame++) {
        const { view, light } = movement.at(total > 1 ? frame / (total - 1) : 0);
        const shown = resampleView(source, view, content.width, content.height);
        if (light) dimOutside(shown, light);
        yield { ...over(shown), frames: 1 };
      }
    }
  }

  async function* standing(index: number): ReturnType<Slides['held']> {
    for (const slide of entryOf(plan, index).slides) {
      yield { ...(await composed(slide, index)), frames: slide.frames };
    }
  }

  const plays = (index: number): boolean => firstSlide(plan, index).content.clip !== undefined;
  const moves = (index: number): boolean => plays(index) || isMoving(firstSlide(plan, index).content);

  return {
    first,
    still: (index) => still(firstSlide(plan, index), index),
    stills: (index) => atOnce(entryOf(plan, index).slides, PICTURES_AT_ONCE, (slide) => still(slide, index)),
    encode,
    framesEncoded: () => encoded,
    moves,
    plays,
    async *held(index, beyond = 0) {
      const show = plays(index) ? playing : moves(index) ? moving : standing;
      for await (const shown of show(index, beyond)) {
        if (signal.aborted) throw new PreviewError('cancelled');
        yield shown;
      }
    },
    thumb,
    async warnings() {
      const keys = plan.entries.map(({ thumb }) => thumb.key);
      const stored = await findParts(keys, parts.find);
      return stored.flatMap((part) => (part?.meta?.warnings as Warning[] | undefined) ?? []);
    },
  };
}

/** Whether the view of a photo moves. */
const isMoving = ({ photo, motion = 'none', focus }: SlideContent): boolean =>
  photo !== undefined && (motion !== 'none' || focus !== undefined);

function entryOf(plan: Plan, index: number): PlannedEntry {
  const entry = plan.entries[index];
  if (!entry) throw new Error(`there is no entry ${index}`);
  return entry;
}

function firstSlide(plan: Plan, index: number): PlannedSlide {
  const slide = entryOf(plan, index).slides[0];
  if (!slide) throw new Error(`entry ${index} has no slide`);
  return slide;
}
