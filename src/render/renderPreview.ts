import { availableParallelism } from 'node:os';
import type { LoadedAsset, ResolvedAsset } from '../assets/resolveAssets.ts';
import { demuxerOf } from '../assets/sniff.ts';
import type { Artifact, PlanSummary, Progress, StageTimings, Warning } from '../job/jobRecord.ts';
import type { PreviewJob } from '../job/previewJob.types.ts';
import { readParameterSets } from '../media/h264.ts';
import type { Loudness } from '../media/loudness.ts';
import { avcCodec, avcConfiguration, initSegment, type VideoTrack } from '../media/mp4.ts';
import { timescaleOf, type VideoSettings } from '../media/video.ts';
import type { ArtifactStore, StoredObject, StoredPart } from '../storage/artifactStore.ts';
import { buildCaptions, buildChapters, formatSrt, formatVtt } from './captions.ts';
import { inspectAssets } from './inspectAssets.ts';
import { createPartMaker, type PartMaker } from './partMaker.ts';
import { type MovieParts, makeMp4, makeWebm } from './parts/movie.ts';
import { makePoster, makeStoryboard } from './parts/pictures.ts';
import { makeSegment } from './parts/segment.ts';
import { sheetLayout, storyboardVtt } from './parts/storyboard.ts';
import { buildPlan, type Plan, part, RENDERER_VERSION } from './plan.ts';
import { createSlides, type Slides } from './slides.ts';
import { makeSoundtrackInThread, type SoundTask } from './soundThread.ts';
import { createStopwatch } from './stopwatch.ts';
import { describeStream, putStream } from './stream.ts';
import { buildTimeline, type Timeline } from './timeline.ts';

/** The world as the renderer sees it. */
export interface RenderContext {
  store: ArtifactStore;
  assets: readonly LoadedAsset[];
  onProgress(progress: Progress): void;
  signal: AbortSignal;
}

export interface RenderResult {
  artifacts: Artifact[];
  warnings: Warning[];
  timings: StageTimings;
  segments: { total: number; reused: number };
  /** Absent where every segment was in the store. */
  firstSegmentSeconds?: number;
}

/** Segments at work at the same time; one more than there are cores, because each waits now and then. */
const SEGMENTS_AT_ONCE = availableParallelism() + 1;

/**
 * Renders a job: what is needed and not yet in the store is made, then joined.
 * @throws PreviewError `asset_*` where an asset cannot be used, `preview_too_long`, `cancelled`; anything else that
 *   is thrown is a fault of the renderer
 */
export async function renderPreview(job: PreviewJob, context: RenderContext): Promise<RenderResult> {
  const stopwatch = createStopwatch();
  context.onProgress({ percent: 0, stage: 'assets' });
  const { plan, timeline, warnings, usable } = await stopwatch.time('assets', () => prepare(job, context));
  const parts = createPartMaker(context.store, context.signal);
  const slides = createSlides(plan, parts, context.store, stopwatch);

  if (plan.video.format === 'mp4') await putStream(context.store, job, describeStream(plan, timeline));
  const [poster, segments, soundtrack] = await Promise.all([
    makePoster(plan, slides, parts),
    stopwatch.time('segments', () => makeSegments(plan, slides, parts, context)),
    stopwatch.time('soundtrack', () => makeSound(plan, parts, usable, context.store)),
  ]);

  context.onProgress({ percent: 85, stage: 'packaging' });
  const files = await stopwatch.time('packaging', async () => {
    const made = [
      await makeMovie(job, plan, timeline, segments, soundtrack, parts, slides, context.store),
      artifact('poster.jpg', 'image/jpeg', poster),
      artifact('storyboard.jpg', 'image/jpeg', await makeStoryboard(plan, slides, parts)),
      ...(await storeTexts(job, timeline, plan, context.store)),
    ];
    return made;
  });
  warnings.push(...(await slides.warnings()));
  const timings = stopwatch.timings();
  const manifest = {
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
    steps: timelineOf(timeline),
    artifacts: files,
    audio: soundtrack ? (soundtrack.meta?.loudness ?? null) : null,
    stats: {
      renderSeconds: stopwatch.elapsedMs() / 1000,
      firstSegmentSeconds: segments.firstMs === undefined ? null : segments.firstMs / 1000,
      framesEncoded: slides.framesEncoded(),
      segments: { total: plan.entries.length, reused: segments.reused },
      stages: timings,
    },
    warnings,
  };
  const manifestFile = await storeText(
    'manifest.json',
    'application/json',
    JSON.stringify(manifest, null, 2),
    context.store,
  );
  context.onProgress({ percent: 100, stage: 'done' });
  return {
    artifacts: [...files, manifestFile],
    warnings,
    timings,
    segments: { total: plan.entries.length, reused: segments.reused },
    ...(segments.firstMs === undefined ? {} : { firstSegmentSeconds: segments.firstMs / 1000 }),
  };
}

/** What a render would do: timeline, parts with what of them exists, warnings. Nothing is made. */
export async function planPreview(job: PreviewJob, context: RenderContext): Promise<PlanSummary> {
  const { plan, timeline, warnings } = await prepare(job, context);
  const planned = [
    ...plan.entries.map(({ segment }) => segment),
    ...(plan.soundtrack ? [plan.soundtrack] : []),
  ];
  const parts = await Promise.all(
    planned.map(async ({ kind, key }) => ({ kind, key, reused: Boolean(await context.store.getPart(key)) })),
  );
  return {
    durationSeconds: timeline.totalFrames / timeline.fps,
    width: plan.video.width,
    height: plan.video.height,
    fps: plan.video.fps,
    timeline: timelineOf(timeline),
    parts,
    warnings,
  };
}

async function prepare(
  job: PreviewJob,
  { assets, store }: RenderContext,
): Promise<{ plan: Plan; timeline: Timeline; warnings: Warning[]; usable: ResolvedAsset[] }> {
  const inspected = await inspectAssets(job, assets, store);
  const timeline = buildTimeline(
    job.previewRequest,
    inspected.narrationSeconds,
    job.previewRequest.options?.fps ?? 30,
  );
  const usable = inspected.assets;
  return { timeline, plan: buildPlan(job, timeline, usable), warnings: inspected.warnings, usable };
}

function timelineOf(timeline: Timeline) {
  return timeline.entries
    .filter((entry) => entry.kind === 'step')
    .map((entry) => ({
      id: entry.id,
      startSeconds: entry.startFrame / timeline.fps,
      endSeconds: (entry.startFrame + entry.frames) / timeline.fps,
    }));
}

interface Segments {
  parts: StoredPart[];
  reused: number;
  /** From the start of the segments' stage to the first one, in milliseconds. */
  firstMs?: number;
}

/** Makes the segments in playing order, some at a time. */
async function makeSegments(
  plan: Plan,
  slides: Slides,
  parts: PartMaker,
  { onProgress }: RenderContext,
): Promise<Segments> {
  const started = performance.now();
  const result: Segments = { parts: [], reused: 0 };
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    for (let i = next++; i < plan.entries.length; i = next++) {
      const segment = plan.entries[i]?.segment;
      if (!segment) return;
      if (plan.video.format === 'mp4' && i === 0) await makeInit(plan, slides, parts);
      const { stored, reused } = await parts.make(segment, async () => {
        return { bytes: await makeSegment(segment.content, i, slides) };
      });
      result.parts[i] = stored;
      if (reused) result.reused++;
      if (i === 0 && !reused) result.firstMs = performance.now() - started;
      done++;
      onProgress({ percent: 5 + Math.floor((80 * done) / plan.entries.length), stage: 'segments' });
    }
  };
  await Promise.all(Array.from({ length: SEGMENTS_AT_ONCE }, work));
  return result;
}

/** The header of the stream's fragments. */
async function makeInit(plan: Plan, slides: Slides, parts: PartMaker): Promise<void> {
  await parts.make(plan.init, async () => {
    const track = videoTrack(await slides.still(0), plan.video);
    return { bytes: initSegment(track), meta: { codec: avcCodec(track) } };
  });
}

async function makeSound(
  plan: Plan,
  parts: PartMaker,
  assets: readonly ResolvedAsset[],
  store: ArtifactStore,
): Promise<StoredPart | undefined> {
  const { soundtrack } = plan;
  if (!soundtrack) return undefined;
  const { stored } = await parts.make(soundtrack, async () => {
    const { content } = soundtrack;
    const digests = [...content.narration, ...(content.music ? [content.music] : [])].map(
      ({ sha256 }) => sha256,
    );
    const sounds: SoundTask['sounds'] = new Map();
    for (const sha256 of new Set(digests)) {
      const asset = assets.find((candidate) => candidate.sha256 === sha256);
      if (!asset) throw new Error('a sound of the plan is not among the assets');
      sounds.set(sha256, { bytes: await store.readObject(sha256), demuxer: demuxerOf(asset.format) });
    }
    const { bytes, loudness } = await makeSoundtrackInThread({ content, sounds });
    return { bytes, meta: { loudness: rounded(loudness) } };
  });
  return stored;
}

const rounded = ({ integratedLufs, truePeakDb }: Loudness) => ({
  integratedLufs: integratedLufs === undefined ? null : Math.round(integratedLufs * 100) / 100,
  truePeakDb: Number.isFinite(truePeakDb) ? Math.round(truePeakDb * 100) / 100 : null,
});

async function makeMovie(
  job: PreviewJob,
  plan: Plan,
  timeline: Timeline,
  segments: Segments,
  soundtrack: StoredPart | undefined,
  parts: PartMaker,
  slides: Slides,
  store: ArtifactStore,
): Promise<Artifact> {
  const { video } = plan;
  const { title } = job.previewRequest;
  const chapters = timeline.entries.map(({ startFrame, label }) => ({
    startSeconds: startFrame / timeline.fps,
    title: label,
  }));
  const files: MovieParts = {
    segments: timeline.entries.map(({ frames }, i) => ({ sha256: segments.parts[i]?.sha256 ?? '', frames })),
    soundtrack: soundtrack?.sha256,
  };
  if (video.format === 'webm') {
    const { stored } = await parts.make(part('movie', { video, files }), async () => ({
      object: await makeWebm(files, video, store),
    }));
    return artifact('preview.webm', 'video/webm', stored);
  }
  const details = { title, chapters };
  const { stored } = await parts.make(part('movie', { video, files, details }), async () => ({
    object: await makeMp4(videoTrack(await slides.still(0), video), files, details, video, store),
  }));
  return artifact('preview.mp4', 'video/mp4', stored);
}

/** The video track of a preview, of which `still` is any: all have the same parameter sets. */
function videoTrack(still: Buffer, video: VideoSettings): VideoTrack {
  const { sps, pps } = readParameterSets(still);
  const { width, height } = video;
  return { kind: 'video', timescale: timescaleOf(video), width, height, avcC: avcConfiguration(sps, pps) };
}

async function storeTexts(
  job: PreviewJob,
  timeline: Timeline,
  plan: Plan,
  store: ArtifactStore,
): Promise<Artifact[]> {
  const captions = buildCaptions(timeline, job.previewRequest.steps);
  return Promise.all([
    storeText(
      'storyboard.vtt',
      'text/vtt',
      storyboardVtt(timeline, sheetLayout(plan.entries.length, plan.video)),
      store,
    ),
    storeText('captions.vtt', 'text/vtt', formatVtt(captions), store),
    storeText('captions.srt', 'application/x-subrip', formatSrt(captions), store),
    storeText('chapters.vtt', 'text/vtt', formatVtt(buildChapters(timeline)), store),
  ]);
}

async function storeText(
  name: string,
  mediaType: string,
  text: string,
  store: ArtifactStore,
): Promise<Artifact> {
  return artifact(name, mediaType, await store.putObject(Buffer.from(text)));
}

function artifact(name: string, mediaType: string, { bytes, sha256 }: StoredObject): Artifact {
  return { name, mediaType, bytes, sha256 };
}
