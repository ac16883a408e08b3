/*
 * The way of a render, and its rooms. Each imports only from those above it.
 *
 *   timeline/   when each step is shown, and its captions and chapters with it
 *   parts/      the key under which a part is stored and found again; a part is made once
 *   plan/       looks at the assets, and names every part of the preview by what decides its bytes
 *   slides/     composes a slide: a picture from its content
 *   shown/      what a step shows, and for how long: standing, moving, playing, and the transition to the next
 *   sound/      the soundtrack, in a thread of its own
 *   pictures/   poster, thumbnails and teaser
 *   texts/      captions, chapters and thumbnails as files
 *   segments/   stills, and the segment of each step, which can be watched at once
 *   movie/      the finished file, and the stream of its segments
 */
import type { LoadedAsset } from '../assets/resolveAssets.ts';
import { PreviewError } from '../errors.ts';
import type { Artifact, Progress, StageTimings, Warning } from '../job/jobRecord.ts';
import type { PreviewJob } from '../job/previewJob.types.ts';
import type { ArtifactStore, StoredPart } from '../storage/artifactStore.ts';
import { buildManifest } from './manifest.ts';
import { makeMovie } from './movie/makeMovie.ts';
import { announceStream } from './movie/stream.ts';
import { artifact, wants } from './outputs.ts';
import { createPartMaker, type PartMaker, type PartReport } from './parts/partMaker.ts';
import { createPictureEncoder } from './pictureEncoder.ts';
import { makePoster } from './pictures/poster.ts';
import { makeTeaser } from './pictures/teaser.ts';
import { slideWarnings } from './pictures/thumbnail.ts';
import { makeThumbnailSheet } from './pictures/thumbnailSheet.ts';
import type { Plan } from './plan/plan.ts';
import { type Prepared, prepare } from './plan/prepare.ts';
import { learnRates, type Taken } from './plan/rates.ts';
import { makeSegments, type Segments } from './segments/makeSegments.ts';
import { type BackgroundCache, createBackgroundCache } from './slides/backgroundCache.ts';
import { createSlides } from './slides/slides.ts';
import { makeSound } from './sound/makeSound.ts';
import { makeSoundtrack, type SoundtrackMaker } from './sound/soundtrack.ts';
import { createStopwatch } from './stopwatch.ts';
import { makeTexts } from './texts/makeTexts.ts';
import type { Workbench } from './workbench.ts';

/** The world as the renderer sees it. */
export interface RenderContext {
  store: ArtifactStore;
  assets: readonly LoadedAsset[];
  onProgress(progress: Progress): void;
  /** Told of each part that was made, or found in the store. */
  onPart?(part: PartReport): void;
  /** Pictures that are kept from one render to the next. */
  backgrounds?: BackgroundCache;
  /** Makes the soundtrack elsewhere, as in a thread; without it, it is made in this one. */
  makeSoundtrack?: SoundtrackMaker;
  /** Gives the render up: it fails as `cancelled` once nothing of it is running any more. */
  signal: AbortSignal;
}

export interface RenderResult {
  artifacts: Artifact[];
  warnings: Warning[];
  timings: StageTimings;
  segments: { total: number; reused: number };
  /** CPU time that the process used, user and system. */
  cpuSeconds: number;
  /** Absent where every segment was in the store. */
  firstSegmentSeconds?: number;
}

/**
 * Renders a job: what is needed and not yet in the store is made, then joined.
 * @throws PreviewError `asset_*` where an asset cannot be used, `preview_too_long`, `cancelled`; anything else that
 *   is thrown is a fault of the renderer
 */
export async function renderPreview(job: PreviewJob, context: RenderContext): Promise<RenderResult> {
  // One failure stops everything else, so that the cores are free for the next render when this one has answered.
  const failure = new AbortController();
  const signal = AbortSignal.any([context.signal, failure.signal]);
  const parts = createPartMaker(context.store, signal, context.onPart);
  try {
    return await render(job, { ...context, signal }, parts);
  } catch (error) {
    failure.abort();
    await parts.quiet();
    if (context.signal.aborted) throw new PreviewError('cancelled');
    throw error;
  }
}

async function render(job: PreviewJob, context: RenderContext, parts: PartMaker): Promise<RenderResult> {
  const { store, onProgress } = context;
  const stopwatch = createStopwatch();

  onProgress({ percent: 0, stage: 'assets' });
  const prepared = await stopwatch.time('assets', () => prepare(job, context.assets, store));
  const { plan } = prepared;
  const bench = createWorkbench(plan, context, parts, stopwatch);

  const announced = announceStream(prepared, store);
  const wantsVideo = wants(job, 'video');
  const pictures = wantsVideo ? stopwatch.time('segments', () => makeSegments(plan, bench)) : undefined;
  const [poster, segments, soundtrack] = await Promise.all([
    wants(job, 'poster') ? makePoster(plan, bench) : undefined,
    pictures,
    wantsVideo ? makeSound(prepared, bench, context.makeSoundtrack ?? makeSoundtrack, pictures) : undefined,
    announced,
  ]);

  onProgress({ percent: 85, stage: 'packaging' });
  const files = await stopwatch.time('packaging', () =>
    makeFiles(prepared, bench, { poster, segments, soundtrack }),
  );
  await parts.settled();
  const warnings = distinct([...prepared.warnings, ...(await slideWarnings(plan, parts))]);
  const manifest = buildManifest(prepared, bench, { files, warnings, segments, soundtrack });
  const manifestObject = await store.putObject(Buffer.from(JSON.stringify(manifest, null, 2)));
  if (segments?.reused === 0) await learnRates(store, whatItTook(prepared, bench, files, soundtrack));

  onProgress({ percent: 100, stage: 'done' });
  return {
    artifacts: [...files, artifact('manifest.json', 'application/json', manifestObject)],
    warnings,
    timings: stopwatch.timings(),
    segments: { total: plan.entries.length, reused: segments?.reused ?? 0 },
    cpuSeconds: stopwatch.cpuSeconds(),
    ...(segments?.firstSeconds === undefined ? {} : { firstSegmentSeconds: segments.firstSeconds }),
  };
}

function createWorkbench(
  { video }: Plan,
  { store, onProgress, signal, backgrounds = createBackgroundCache() }: RenderContext,
  parts: PartMaker,
  stopwatch: Workbench['stopwatch'],
): Workbench {
  const read = (sha256: string): Promise<Buffer> => store.readObject(sha256);
  const sources = { read, backgrounds };
  return {
    store,
    parts,
    slides: createSlides(sources, stopwatch),
    encoder: createPictureEncoder(video),
    stopwatch,
    onProgress,
    signal,
  };
}

/** Makes the files that are delivered, side by side: each waits for the store most of the time. */
async function makeFiles(
  prepared: Prepared,
  bench: Workbench,
  made: {
    poster: StoredPart | undefined;
    segments: Segments | undefined;
    soundtrack: StoredPart | undefined;
  },
): Promise<Artifact[]> {
  const { job, plan } = prepared;
  const { poster, segments, soundtrack } = made;
  const [movie, thumbnailSheet, teaser, texts] = await Promise.all([
    segments && makeMovie(prepared, bench, segments, soundtrack),
    wants(job, 'storyboard') ? makeThumbnailSheet(plan, bench) : undefined,
    wants(job, 'teaser') ? makeTeaser(plan, bench) : undefined,
    makeTexts(prepared, bench.store),
  ]);
  return [
    ...(movie ? [movie] : []),
    ...(poster ? [artifact('poster.jpg', 'image/jpeg', poster)] : []),
    ...(thumbnailSheet ? [artifact('storyboard.jpg', 'image/jpeg', thumbnailSheet)] : []),
    ...(teaser ? [artifact('teaser.webp', 'image/webp', teaser)] : []),
    ...texts,
  ];
}

const whatItTook = (
  { timeline }: Prepared,
  { encoder, stopwatch }: Workbench,
  files: readonly Artifact[],
  soundtrack: StoredPart | undefined,
): Taken => ({
  pictures: encoder.framesEncoded(),
  seconds: timeline.totalFrames / timeline.fps,
  timings: stopwatch.timings(),
  videoBytes: files.find(({ name }) => name.startsWith('preview.'))?.bytes ?? 0,
  soundBytes: soundtrack?.bytes,
});

/** A damaged logo is damaged on every slide; one warning is enough. */
const distinct = (warnings: readonly Warning[]): Warning[] => [
  ...new Map(warnings.map((warning) => [JSON.stringify(warning), warning])).values(),
];
