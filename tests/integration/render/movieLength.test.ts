import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ResolvedAsset } from '../../../src/assets/resolveAssets.ts';
import type { Step } from '../../../src/job/previewJob.types.ts';
import { openDemuxer, quietFfmpeg, readPackets } from '../../../src/media/ffmpeg.ts';
import { fragmentRanges } from '../../../src/media/mp4/fragments.ts';
import { configureSharp } from '../../../src/media/picture/image.ts';
import { loadFonts } from '../../../src/media/text/fonts.ts';
import { getStream } from '../../../src/render/movie/stream.ts';
import { renderPreview } from '../../../src/render/renderPreview.ts';
import type { ArtifactStore } from '../../../src/storage/artifactStore.ts';
import { createFsStore } from '../../../src/storage/folder/fsStore.ts';
import { smallJob } from '../../support/service.ts';

const FILES = [
  { id: 'photo', type: 'image', format: 'jpeg', path: 'examples/pour-over-coffee/pictures/01-weigh.jpg' },
  { id: 'music', type: 'audio', format: 'mp4', path: 'examples/pour-over-coffee/music/bed.m4a' },
  { id: 'clip', type: 'video', format: 'mp4', path: 'examples/features/media/clip.mp4' },
] as const;

let folder: string;
let store: ArtifactStore;
let assets: ResolvedAsset[];

beforeAll(async () => {
  quietFfmpeg();
  configureSharp();
  await loadFonts();
  folder = await mkdtemp(join(tmpdir(), 'preview-length-'));
  store = await createFsStore(folder);
  assets = await Promise.all(
    FILES.map(async ({ path, ...file }) => ({ ...file, ...(await store.putObject(await readFile(path))) })),
  );
});

afterAll(() => rm(folder, { recursive: true, force: true }));

interface Wanted {
  format: 'mp4' | 'webm';
  fps: number;
  sound: boolean;
  steps: Step[];
}

let jobs = 0;

/** A preview without a title card; answers its file, and how long its manifest says that it is. */
async function render({ format, fps, sound, steps }: Wanted) {
  const job = smallJob(`length-${jobs++}`, {
    title: undefined,
    steps,
    assets: FILES.map(({ id, type }) => ({ id, type, path: 'not read' })),
    audio: sound ? { music: { asset: 'music' } } : {},
    options: { resolution: '160x160', fps, format, outputs: ['video'] },
  });
  const { artifacts } = await renderPreview(job, {
    store,
    assets,
    onProgress: () => undefined,
    signal: new AbortController().signal,
  });
  const read = (name: string): Promise<Buffer> =>
    store.readObject(artifacts.find((artifact) => artifact.name === name)?.sha256 ?? '');
  const { durationSeconds } = JSON.parse(String(await read('manifest.json'))) as { durationSeconds: number };
  return { job, file: await read(`preview.${format}`), seconds: durationSeconds };
}

/** What the container says of its length, and where each picture begins and the last one ends, in seconds. */
async function timesOf(file: Buffer, format: 'mp4' | 'webm') {
  const demuxer = await openDemuxer(file, format === 'mp4' ? 'mov' : 'matroska');
  try {
    const stream = demuxer.video();
    if (!stream) throw new Error('there is no video');
    const { num, den } = stream.timeBase;
    const starts: number[] = [];
    let end = 0;
    for (const { pts, duration } of readPackets(demuxer, stream)) {
      starts.push((Number(pts) * num) / den);
      end = Math.max(end, (Number(pts + duration) * num) / den);
    }
    return { container: Number(demuxer.getFormatContext().duration) / 1e6, starts, end };
  } finally {
    await demuxer.close();
  }
}

const STILLS: Step[] = [
  { title: 'A', durationSeconds: 2 },
  { title: 'B', durationSeconds: 6 },
];
const before = (last: Step): Step[] => [{ title: 'First', durationSeconds: 1 }, last];
const ENDINGS = {
  'a still': STILLS,
  'a still after a cut': [STILLS[0], { ...STILLS[1], transition: { type: 'none' } }] as Step[],
  'a motion': before({ asset: 'photo', motion: 'panLeft', durationSeconds: 1.5 }),
  'a video': before({ asset: 'clip' }),
  'a video that stands at its end': before({ asset: 'clip', durationSeconds: 3 }),
};

describe.each(['mp4', 'webm'] as const)('a preview as %s', (format) => {
  describe.each([false, true])('with sound: %s', (sound) => {
    it.each(Object.keys(ENDINGS) as (keyof typeof ENDINGS)[])(
      'that ends with %s is as long as its manifest says',
      async (ending) => {
        const { file, seconds } = await render({ format, fps: 10, sound, steps: ENDINGS[ending] });
        const { container, end } = await timesOf(file, format);
        expect(Math.abs(container - seconds)).toBeLessThanOrEqual(0.1);
        expect(Math.abs(end - seconds)).toBeLessThanOrEqual(0.1);
      },
    );

    it.each([1, 7, 60])('is as long as its manifest says at %i frames a second', async (fps) => {
      const { file, seconds } = await render({ format, fps, sound, steps: STILLS });
      const { container, end } = await timesOf(file, format);
      expect(Math.abs(container - seconds)).toBeLessThanOrEqual(1 / fps);
      expect(Math.abs(end - seconds)).toBeLessThanOrEqual(1 / fps);
    });
  });
});

it('holds each picture of a WebM until the next one, so that none of its segments has a gap', async () => {
  const steps: Step[] = [1, 2, 3].map((i) => ({
    title: `Step ${i}`,
    durationSeconds: i,
    transition: { type: 'none' },
  }));
  const { file } = await render({ format: 'webm', fps: 10, sound: false, steps });
  const { starts, end } = await timesOf(file, 'webm');
  expect(starts).toEqual([0, 1, 3]);
  expect(end).toBe(6);
});

it('has a stream whose segments together are as long as the manifest says', async () => {
  const { job, seconds } = await render({ format: 'mp4', fps: 10, sound: true, steps: STILLS });
  const stream = await getStream(store, job);
  if (!stream) throw new Error('there is no stream');
  expect(stream.segments.reduce((sum, { frames }) => sum + frames, 0) / stream.video.fps).toBe(seconds);
  for (const { key, frames } of stream.segments) {
    const part = await store.getPart(key);
    const { fragments } = fragmentRanges(await store.readObject(part?.sha256 ?? ''));
    const ticks = fragments.reduce((sum, { duration }) => sum + duration, 0);
    expect(ticks / stream.timescale).toBe(frames / stream.video.fps);
  }
});
