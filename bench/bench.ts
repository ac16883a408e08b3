/**
 * Renders storyboards of 10 and 60 steps with 4000x3000 photographs, music and fades, and beside them, in the same run,
 * the plain ffmpeg recipe (peer.ts). Prints medians and writes all figures to bench-output/bench.json.
 *
 * Ours is measured in a running service, from the POST to the status `completed`, with an empty store: what an author
 * waits for. The command line, which starts Node.js and the render process first, is printed beside it.
 *
 *     npm run bench [-- --runs 5] [--only s10,s60,edit,floor,two,memory]
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { PreviewJob } from '../src/job/previewJob.types.ts';
import { configureSharp, coverPicture } from '../src/media/picture/image.ts';
import { loadFonts } from '../src/media/text/fonts.ts';
import type { SlideContent } from '../src/render/plan/slideContent.ts';
import { paintBackground } from '../src/render/slides/background.ts';
import { paintSlide } from '../src/render/slides/paintSlide.ts';
import { median, memoryOf, run, timed } from './measure.ts';
import { peerSlide, type Recipe, renderPeer, ssimAt } from './peer.ts';
import { makePhotos } from './photos.ts';
import { type Service, startService } from './service.ts';

const [STEP_SECONDS, FADE_SECONDS, FPS] = [3, 0.5, 30];
const PHOTOS = 10;

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    only: { type: 'string', default: 's10,s60,edit,floor,two,memory' },
  },
});
const RUNS = Number(options.runs);
const wanted = new Set(options.only.split(','));

if (spawnSync('ffmpeg', ['-version']).status !== 0) {
  console.error('ffmpeg is not installed; the bench needs it as the peer (Debian: apt-get install ffmpeg).');
  process.exit(1);
}
const folder = mkdtempSync(join(tmpdir(), 'preview-bench-'));
const figures: Record<string, unknown> = { runs: RUNS };

async function main(): Promise<void> {
  const photos = await makePhotos(folder, PHOTOS);
  const music = join(folder, 'music.wav');
  run('ffmpeg', ['-y', '-f', 'lavfi', '-i', 'anoisesrc=c=pink:a=0.2:d=180:r=48000', '-ac', '2', music]);
  const recipe = (steps: number): Recipe => ({
    photos: Array.from({ length: steps }, (_, i) => photos[i % PHOTOS] as string),
    titles: Array.from({ length: steps }, (_, i) => `Step number ${i + 1} of the bench`),
    music,
    stepSeconds: STEP_SECONDS,
    fadeSeconds: FADE_SECONDS,
    fps: FPS,
  });
  const [s10, s60] = [recipe(10), recipe(60)];
  if (wanted.has('s10')) figures.s10 = await sideBySide(s10);
  if (wanted.has('s60')) figures.s60 = await sideBySide(s60);
  if (wanted.has('edit')) figures.edit = await edits(s60);
  if (wanted.has('floor')) figures.floor = await floor(s10);
  if (wanted.has('two')) figures.two = await twoAtOnce(s10);
  if (wanted.has('memory')) figures.memory = await peakMemory(s60);
  mkdirSync('bench-output', { recursive: true });
  writeFileSync('bench-output/bench.json', JSON.stringify(figures, null, 2));
}

/** Cold renders of ours and the peer's, taking turns; sizes; likeness of both to their own slides. */
async function sideBySide(recipe: Recipe): Promise<unknown> {
  const [ours, peer, first, whole]: number[][] = [[], [], [], []];
  const [oursPath, peerPath] = [join(folder, 'ours.mp4'), join(folder, 'peer.mp4')];
  for (let i = 0; i < RUNS; i++) {
    await withService(async (service) => {
      const job = await jobOf(recipe, service);
      ours?.push(await service.render(job));
      const manifest = JSON.parse(String(await service.artifact(job.jobId, 'manifest.json')));
      first?.push(manifest.stats.firstSegmentSeconds);
      writeFileSync(oursPath, await service.artifact(job.jobId, 'preview.mp4'));
    });
    peer?.push(timed(() => renderPeer(recipe, peerPath)));
    if (recipe.photos.length <= 10) whole?.push(timed(() => renderOnCommandLine(recipe, i)));
  }
  const likeness = await ssim(recipe, oursPath, peerPath);
  const result = {
    steps: recipe.photos.length,
    oursSeconds: median(ours ?? []),
    ...(whole?.length ? { commandLineSeconds: median(whole) } : {}),
    peerSeconds: median(peer ?? []),
    ratio: median(peer ?? []) / median(ours ?? []),
    firstSegmentSeconds: median(first ?? []),
    oursBytes: statSync(oursPath).size,
    peerBytes: statSync(peerPath).size,
    ...likeness,
    samples: { ours, peer },
  };
  show(`cold, ${recipe.photos.length} steps`, result);
  return result;
}

function renderOnCommandLine(recipe: Recipe, index: number): void {
  const path = join(folder, 'job.json');
  const name = (file: string): string => file.slice(folder.length + 1);
  const assets = recipe.photos.map((photo, i) => ({
    id: `p${i}`,
    type: 'image' as const,
    path: name(photo),
  }));
  const music = { id: 'music', type: 'audio' as const, path: name(recipe.music) };
  writeFileSync(path, JSON.stringify(storyboard(recipe, [...assets, music], 'bench')));
  run('node', ['dist/cli.js', 'render', path, '--out', join(folder, 'out')], {
    DATA_DIR: join(folder, `data-${index}`),
  });
}

/** How long the whole preview takes after the words of one step have changed. */
async function edits(recipe: Recipe): Promise<unknown> {
  const seconds: number[] = [];
  let cold = 0;
  await withService(async (service) => {
    const job = await jobOf(recipe, service);
    cold = await service.render(job);
    for (let i = 0; i < RUNS; i++) {
      const changed = structuredClone(job);
      changed.jobId = `edit-${i}`;
      const step = changed.previewRequest.steps[30];
      if (step) step.title = `Other words, ${i}`;
      seconds.push(await service.render(changed));
    }
  });
  const result = {
    coldSeconds: cold,
    editSeconds: median(seconds),
    ratio: median(seconds) / cold,
    samples: seconds,
  };
  show('one step changed, 60 steps', result);
  return result;
}

/** What nobody can do without, each measured alone: photos decoded and scaled, changing frames encoded, sound encoded. */
async function floor(recipe: Recipe): Promise<unknown> {
  configureSharp();
  const photos = await Promise.all(recipe.photos.map((photo) => readFile(photo)));
  const frames = join(folder, 'frames.yuv');
  const [decode, encode, aac]: number[][] = [[], [], []];
  const oursPath = join(folder, 'floor.mp4');
  await withService(async (service) => {
    const job = await jobOf(recipe, service);
    await service.render(job);
    writeFileSync(oursPath, await service.artifact(job.jobId, 'preview.mp4'));
  });
  run('ffmpeg', ['-y', '-i', oursPath, '-fps_mode', 'passthrough', '-f', 'rawvideo', frames]);
  const seconds = String(recipe.photos.length * STEP_SECONDS);
  for (let i = 0; i < RUNS; i++) {
    const started = performance.now();
    await Promise.all(photos.map((bytes) => coverPicture(bytes, 1280, 720)));
    decode?.push((performance.now() - started) / 1000);
    const raw = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', '1280x720', '-r', String(FPS), '-i', frames];
    const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-f', 'null', '-'];
    encode?.push(timed(() => run('ffmpeg', ['-y', ...raw, ...x264])));
    aac?.push(
      timed(() => run('ffmpeg', ['-y', '-i', recipe.music, '-t', seconds, '-c:a', 'aac', '-f', 'null', '-'])),
    );
  }
  const [decodeSeconds, encodeSeconds, aacSeconds] = [decode, encode, aac].map((samples) =>
    median(samples ?? []),
  );
  const result = {
    decodeSeconds,
    encodeSeconds,
    aacSeconds,
    sumSeconds: (decodeSeconds ?? 0) + (encodeSeconds ?? 0) + (aacSeconds ?? 0),
  };
  show('what the work costs at least, 10 steps', result);
  return result;
}

/**
 * Two jobs that have nothing in common, neither words nor photographs nor music, one after the other and both at once,
 * each time with an empty store.
 */
async function twoAtOnce(recipe: Recipe): Promise<unknown> {
  const [turns, together]: number[][] = [[], []];
  const music = join(folder, 'other.wav');
  run('ffmpeg', [
    '-y',
    '-f',
    'lavfi',
    '-i',
    'anoisesrc=c=pink:a=0.2:d=180:r=48000:seed=2',
    '-ac',
    '2',
    music,
  ]);
  const other = {
    ...recipe,
    titles: recipe.titles.map((title) => `${title}, again`),
    photos: await makePhotos(folder, PHOTOS, PHOTOS),
    music,
  };
  for (let i = 0; i < RUNS; i++) {
    await withService(async (service) => {
      const jobs = [await jobOf(recipe, service, 'one'), await jobOf(other, service, 'two')];
      const started = performance.now();
      for (const job of jobs) await service.render(job);
      turns?.push((performance.now() - started) / 1000);
    });
    await withService(async (service) => {
      const jobs = [await jobOf(recipe, service, 'one'), await jobOf(other, service, 'two')];
      const started = performance.now();
      await Promise.all(jobs.map((job) => service.render(job)));
      together?.push((performance.now() - started) / 1000);
    });
  }
  const [inTurns, atOnce] = [median(turns ?? []), median(together ?? [])];
  const result = { inTurnsSeconds: inTurns, atOnceSeconds: atOnce, throughput: inTurns / atOnce };
  show('two jobs of 10 steps', result);
  return result;
}

/** The most memory that all processes of the service have together, at 1920x1080. */
async function peakMemory(recipe: Recipe): Promise<unknown> {
  let peak = 0;
  await withService(async (service) => {
    const job = await jobOf(recipe, service);
    job.previewRequest.options = { resolution: '1920x1080' };
    const watch = setInterval(() => {
      peak = Math.max(peak, memoryOf(service.pid));
    }, 50);
    await service.render(job);
    clearInterval(watch);
  });
  const result = { peakMegabytes: peak / 1e6 };
  show('memory, 60 steps at 1920x1080', result);
  return result;
}

/** A service that has rendered before, with nothing of this storyboard in its store. */
async function withService(use: (service: Service) => Promise<void>): Promise<void> {
  const service = await startService();
  try {
    const warm = storyboard({ ...emptyRecipe, titles: ['Warm'] }, [], 'warm');
    await Promise.all([service.render(warm), service.render({ ...warm, jobId: 'warm-2' })]);
    await use(service);
  } finally {
    await service.stop();
  }
}

const emptyRecipe: Recipe = {
  photos: [],
  titles: [],
  music: '',
  stepSeconds: STEP_SECONDS,
  fadeSeconds: FADE_SECONDS,
  fps: FPS,
};

async function jobOf(recipe: Recipe, service: Service, jobId = 'bench'): Promise<PreviewJob> {
  const digests = new Map<string, string>();
  for (const path of new Set([...recipe.photos, recipe.music])) digests.set(path, await service.upload(path));
  const upload = (path: string): string => digests.get(path) ?? '';
  const assets = [
    ...recipe.photos.map((photo, i) => ({ id: `p${i}`, type: 'image' as const, upload: upload(photo) })),
    { id: 'music', type: 'audio' as const, upload: upload(recipe.music) },
  ];
  return storyboard(recipe, assets, jobId);
}

function storyboard(
  { titles, photos }: Recipe,
  assets: PreviewJob['previewRequest']['assets'],
  jobId: string,
): PreviewJob {
  return {
    jobId,
    projectId: 'bench',
    requestId: jobId,
    dryRun: false,
    previewRequest: {
      steps: titles.map((title, i) => ({
        title,
        ...(photos[i] ? { asset: `p${i}` } : {}),
        durationSeconds: STEP_SECONDS,
        transition: { type: 'fade', durationSeconds: FADE_SECONDS },
      })),
      assets,
      audio: assets.some(({ id }) => id === 'music') ? { music: { asset: 'music' } } : {},
    },
  };
}

/** SSIM in the middle of the first steps' stills, each video against its own slides as they were before encoding. */
async function ssim(
  recipe: Recipe,
  ours: string,
  peer: string,
): Promise<{ oursSsim: number; peerSsim: number }> {
  await loadFonts();
  const [oursSsim, peerSsim]: number[][] = [[], []];
  for (let i = 0; i < Math.min(10, recipe.photos.length); i++) {
    const at = i * STEP_SECONDS + 1.5;
    const content: SlideContent = {
      kind: 'step',
      width: 1280,
      height: 720,
      theme: 'midnight',
      title: recipe.titles[i],
      photo: 'photo',
      counter: { step: i + 1, of: recipe.photos.length },
    };
    const { picture } = await paintBackground(content, await readFile(recipe.photos[i] ?? ''));
    await paintSlide(picture, content, undefined);
    const raw = join(folder, 'slide.yuv');
    writeFileSync(raw, picture.data);
    const asInput = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', '1280x720', '-i', raw];
    oursSsim?.push(ssimAt(ours, at, asInput, folder));
    const reference = join(folder, 'slide.nut');
    peerSlide(recipe, i, reference);
    peerSsim?.push(ssimAt(peer, at, ['-i', reference], folder));
  }
  return { oursSsim: mean(oursSsim ?? []), peerSsim: mean(peerSsim ?? []) };
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function show(name: string, result: object): void {
  console.log(`\n${name}`);
  const rows = Object.entries(result).filter(([, value]) => typeof value === 'number');
  console.table(
    Object.fromEntries(rows.map(([key, value]) => [key, Math.round(Number(value) * 10_000) / 10_000])),
  );
}

try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
