import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ResolvedAsset } from '../../../src/assets/resolveAssets.ts';
import type { PreviewJob, Step } from '../../../src/job/previewJob.types.ts';
import { quietFfmpeg } from '../../../src/media/ffmpeg.ts';
import { configureSharp } from '../../../src/media/picture/image.ts';
import { loadFonts } from '../../../src/media/text/fonts.ts';
import { renderPreview } from '../../../src/render/renderPreview.ts';
import type { ArtifactStore } from '../../../src/storage/artifactStore.ts';
import { createFsStore } from '../../../src/storage/folder/fsStore.ts';
import { decodeVideo } from '../../support/decodeVideo.ts';
import { smallJob } from '../../support/service.ts';

const [FPS, EXIT, TITLE_SECONDS] = [30, 12, 3];
const SIZE = { width: 320, height: 180 };
const FILES = [
  { id: 'photo', type: 'image', format: 'jpeg', path: 'examples/pour-over-coffee/pictures/01-weigh.jpg' },
  { id: 'clip', type: 'video', format: 'mp4', path: 'examples/features/media/clip.mp4' },
] as const;
/** Each way from one step to the next: by the transition, and by what is on the screen before it. */
const STEPS: readonly (Partial<Step> & { before: string })[] = [
  { before: 'a fade from the title card', transition: { type: 'fade' } },
  { before: 'a fade between words alone', transition: { type: 'fade' } },
  { before: 'a wipe', transition: { type: 'wipe' }, asset: 'photo' },
  { before: 'a slide', transition: { type: 'slide' }, asset: 'photo', motion: 'zoomIn' },
  { before: 'a fade after a photo that moved', transition: { type: 'fade' }, asset: 'clip' },
  { before: 'a fade after a video', transition: { type: 'fade' }, asset: 'photo' },
];
/** Words that take the same room in both forms, so that nothing but their letters differs. */
const [WORDS, OTHER_WORDS] = ['HOHOHO', 'OHOHOH'];

let folder: string;
let store: ArtifactStore;
let assets: ResolvedAsset[];

beforeAll(async () => {
  quietFfmpeg();
  configureSharp();
  await loadFonts();
  folder = await mkdtemp(join(tmpdir(), 'preview-words-'));
  store = await createFsStore(folder);
  assets = await Promise.all(
    FILES.map(async ({ path, ...file }) => ({ ...file, ...(await store.putObject(await readFile(path))) })),
  );
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** The brightness of every frame of the storyboard, in which every other entry has other words. */
async function frames(format: 'mp4' | 'webm', changed?: 'even' | 'odd'): Promise<Buffer[]> {
  const words = (entry: number): string =>
    changed && (entry % 2 === 0) === (changed === 'even') ? OTHER_WORDS : WORDS;
  const job: PreviewJob = smallJob('words', {
    title: words(0),
    steps: STEPS.map(({ before, transition, ...step }, i) => ({
      ...step,
      title: words(i + 1),
      durationSeconds: 1,
      transition: { type: transition?.type ?? 'fade', durationSeconds: EXIT / FPS },
    })),
    assets: FILES.map(({ id, type }) => ({ id, type, path: 'not read' })),
    options: { resolution: '320x180', fps: FPS, format, outputs: ['video'] },
  });
  const signal = new AbortController().signal;
  const { artifacts } = await renderPreview(job, { store, assets, signal, onProgress: () => undefined });
  const file = artifacts.find(({ name }) => name === `preview.${format}`);
  const decoded = await decodeVideo(
    await store.readObject(file?.sha256 ?? ''),
    format === 'mp4' ? 'mov' : 'matroska',
  );
  const second = format === 'mp4' ? FPS * 512 : 1000;
  const shown: Buffer[] = [];
  for (const { pts, data } of decoded) {
    const frame = Math.round((pts / second) * FPS);
    // What is shown longer than one frame stands for all of them.
    while (shown.length < frame) shown.push(shown.at(-1) as Buffer);
    shown.push(data.subarray(0, SIZE.width * SIZE.height));
  }
  return shown;
}

/** How much of the words' contrast is left in one frame: how far it is from the same frame with other words. */
function legible(one: Buffer, other: Buffer, ink: readonly number[]): number {
  let sum = 0;
  for (const at of ink) sum += Math.abs((one[at] as number) - (other[at] as number));
  return sum / ink.length;
}

describe.each(['mp4', 'webm'] as const)('words in a preview as %s', (format) => {
  let plain: Buffer[] = [];
  let even: Buffer[] = [];
  let odd: Buffer[] = [];
  beforeAll(async () => {
    plain = await frames(format);
    even = await frames(format, 'even');
    odd = await frames(format, 'odd');
  });

  it.each(STEPS.map(({ before }, i) => [before, i] as const))('never lie over others: %s', (_, from) => {
    const [leaving, coming] = from % 2 === 0 ? [even, odd] : [odd, even];
    const start = (TITLE_SECONDS + from) * FPS;
    /** How legible the words of an entry are in each frame of the transition, next to when they stand. */
    const course = (other: Buffer[], standing: number): number[] => {
      const [a, b] = [plain[standing] as Buffer, other[standing] as Buffer];
      const ink = [...a.keys()].filter((at) => Math.abs((a[at] as number) - (b[at] as number)) > 60);
      expect(ink.length).toBeGreaterThan(50);
      const whole = legible(a, b, ink);
      return Array.from(
        { length: EXIT },
        (_, i) => legible(plain[start - EXIT + i] as Buffer, other[start - EXIT + i] as Buffer, ink) / whole,
      );
    };
    const gone = course(leaving, start - EXIT - 1);
    const come = course(coming, start);
    const both = gone.map((share, i) => Math.min(share, come[i] as number));
    expect(Math.max(...both)).toBeLessThan(0.05);
    // The pictures change between them, with no words at all.
    const wordless = gone.filter((share, i) => share < 0.05 && (come[i] as number) < 0.05);
    expect(wordless.length).toBeGreaterThanOrEqual(EXIT / 3);
    // They go softly: there is a frame in which they are half there.
    for (const shares of [gone, come]) {
      expect(shares.some((share) => share > 0.2 && share < 0.8)).toBe(true);
    }
  });
});
