import type { LoadedAsset } from '../assets/resolveAssets.ts';
import { PreviewError } from '../errors.ts';
import type { Artifact, Progress, StageTimings, Warning } from '../job/jobRecord.ts';
import type { PreviewJob } from '../job/previewJob.types.ts';
import type { ArtifactStore, StoredPart } from '../storage/artifactStore.ts';
import { makeMovie } from './movie/makeMovie.ts';
import { describeStream, putStream } from './movie/stream.ts';
import { createPartMaker, type PartMaker, type PartReport } from './parts/partMaker.ts';
import { makePoster, makeStoryboard } from './pictures/poster.ts';
import { makeTeaser } from './pictures/teaser.ts';
import { RENDERER_VERSION } from './plan/plan.ts';
import { stepsOf } from './plan/planSummary.ts';
import { prepare } from './plan/prepare.ts';
import { learnRates } from './plan/rates.ts';
import { artifact, type Render, wants } from './render.ts';
import { makeSegments, type Segments } from './segments/makeSegments.ts';
import { type Backgrounds, createBackgrounds } from './slides/backgroundCache.ts';
import { createSlides } from './slides/slides.ts';
import { makeSound } from './sound/makeSound.ts';
import { createStopwatch } from './stopwatch.ts';
import { makeTexts } from './texts/makeTexts.ts';

/** Of decoded photos that are kept: eleven at 1280x720, five at 1920x1080. */
export const BACKGROUND_BYTES = 32 << 20;

/** The world as the renderer sees it. */
export interface RenderContext {
  store: ArtifactStore;
  assets: readonly LoadedAsset[];
  onProgress(progress: Progress): void;
  /** Told of each part that was made, or found in the store. */
  onPart?(part: PartReport): void;
  /** Pictures that are kept from one render to the next. */
  backgrounds?: Backgrounds;
  /** Gives the render up: it fails as `cancelled` as soon as nothing of it is at work any more. */
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
  // What fails stops the rest: whoever calls has the cores for the next render when this one has answered.
  const failure = new AbortController();
  const signal = AbortSignal.any([context.signal, failure.signal]);
  const parts = createPartMaker(context.store, signal, context.onPart);
  try {
    return await renderParts(job, { ...context, signal }, parts);
  } catch (error) {
    failure.abort();
    await parts.quiet();
    if (context.signal.aborted) throw new PreviewError('cancelled');
    throw error;
  }
}

async function renderParts(job: PreviewJob, context: RenderContext, parts: PartMaker): Promise<RenderResult> {
  const { store, onProgress, signal } = context;
  const stopwatch = createStopwatch();
  onProgress({ percent: 0, stage: 'assets' });
  const prepared = await stopwatch.time('assets', () => prepare(job, context.assets, store));
  const { plan, timeline } = prepared;
  const backgrounds = context.backgrounds ?? createBackgrounds(BACKGROUND_BYTES);
  const slides = createSlides({ plan, parts, store, stopwatch, backgrounds, signal });
  const render: Render = { ...prepared, job, store, parts, slides, stopwatch, onProgress, signal };

  const wantsVideo = wants(job, 'video');
  const isStreamed = wantsVideo && plan.video.format === 'mp4';
  const announced = isStreamed ? putStream(store, job, describeStream(plan, timeline)) : undefined;
  const pictures = wantsVideo ? stopwatch.time('segments', () => makeSegments(render)) : undefined;
  const [poster, segments, soundtrack] = await Promise.all([
    wants(job, 'poster') ? makePoster(plan, slides, parts) : undefined,
    pictures,
    wantsVideo ? makeSound(render, pictures) : undefined,
    announced,
  ]);

  onProgress({ percent: 85, stage: 'packaging' });
  const files = await stopwatch.time('packaging', () => makeFiles(render, poster, segments, soundtrack));
  await parts.settled();
  const warnings = distinct([...prepared.warnings, ...(await slides.warnings())]);
  const manifest = buildManifest(render, files, warnings, segments, soundtrack);
  const text = Buffer.from(JSON.stringify(manifest, null, 2));
  const manifestFile = artifact('manifest.json', 'application/json', await store.putObject(text));
  if (segments && segments.reused === 0) await learnRates(store, ratesOf(render, files, soundtrack));
  onProgress({ percent: 100, stage: 'done' });
  return {
    artifacts: [...files, manifestFile],
    warnings,
    timings: stopwatch.timings(),
    segments: { total: plan.entries.length, reused: segments?.reused ?? 0 },
    cpuSeconds: stopwatch.cpuSeconds(),
    ...(segments?.firstSeconds === undefined ? {} : { firstSegmentSeconds: segments.firstSeconds }),
  };
}

/** What is wrong with the logo is wrong on every slide, and told once. */
const distinct = (warnings: readonly Warning[]): Warning[] => [
  ...new Map(warnings.map((warning) => [JSON.stringify(warning), warning])).values(),
];

/** What is delivered: made side by side, since each waits for the store most of the time. */
async function makeFiles(
  render: Render,
  poster: StoredPart | undefined,
  segments: Segments | undefined,
  soundtrack: StoredPart | undefined,
): Promise<Artifact[]> {
  const { job, plan, slides, parts } = render;
  const [movie, storyboard, teaser, texts] = await Promise.all([
    segments && makeMovie(render, segments, soundtrack),
    wants(job, 'storyboard') ? makeStoryboard(plan, slides, parts) : undefined,
    wants(job, 'teaser') ? makeTeaser(plan, slides, parts) : undefined,
    makeTexts(render),
  ]);
  return [
    ...(movie ? [movie] : []),
    ...(poster ? [artifact('poster.jpg', 'image/jpeg', poster)] : []),
    ...(storyboard ? [artifact('storyboard.jpg', 'image/jpeg', storyboard)] : []),
    ...(teaser ? [artifact('teaser.webp', 'image/webp', teaser)] : []),
    ...texts,
  ];
}

function buildManifest(
  { job, plan, timeline, slides, stopwatch }: Render,
  artifacts: readonly Artifact[],
  warnings: readonly Warning[],
  segments: Segments | undefined,
  soundtrack: StoredPart | undefined,
) {
  return {
    jobId: job.jobId,
    projectId: job.projectId,
    requestId: job.requestId,
    title: job.previewRequest.title,
    metadata: job.previewRequest.metadata ?? {},
    renderer: { version: RENDERER_VERSION, ffmpeg: '8.1' },
    durationSeconds: timeline.totalFrames / timeline.fps,
    width: plan.video.width,
    height: plan.video.height,
    fps: plan.video.fps,
    steps: stepsOf(timeline),
    artifacts,
    audio: soundtrack?.meta?.measured ?? null,
    stats: {
      renderSeconds: stopwatch.elapsedMs() / 1000,
      firstSegmentSeconds: segments?.firstSeconds ?? null,
      framesEncoded: slides.framesEncoded(),
      segments: { total: plan.entries.length, reused: segments?.reused ?? 0 },
      stages: stopwatch.timings(),
    },
    warnings,
  };
}

/** What this render, of which nothing was there before, says of the machine. */
function ratesOf(
  { plan, timeline, slides, stopwatch }: Render,
  files: readonly Artifact[],
  sound?: StoredPart,
) {
  const timings = stopwatch.timings();
  const pictures = slides.framesEncoded();
  const seconds = timeline.totalFrames / timeline.fps;
  const bytes = files.find(({ name }) => name.startsWith('preview.'))?.bytes ?? 0;
  return {
    ...(pictures > 0 ? { secondsPerPicture: (timings.segments ?? 0) / 1000 / pictures } : {}),
    ...(pictures > 0 ? { bytesPerPicture: (bytes - (sound?.bytes ?? 0)) / pictures } : {}),
    ...(plan.soundtrack ? { secondsPerSoundSecond: (timings.soundtrack ?? 0) / 1000 / seconds } : {}),
  };
}
