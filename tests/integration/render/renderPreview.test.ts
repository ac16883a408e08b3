import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadedAsset, ResolvedAsset } from '../../../src/assets/resolveAssets.ts';
import type { PreviewJob, PreviewRequest } from '../../../src/job/previewJob.types.ts';
import { quietFfmpeg } from '../../../src/media/ffmpeg.ts';
import { configureSharp } from '../../../src/media/picture/image.ts';
import { loadFonts } from '../../../src/media/text/fonts.ts';
import { planPreview } from '../../../src/render/planPreview.ts';
import { type RenderResult, renderPreview } from '../../../src/render/renderPreview.ts';
import type { ArtifactStore } from '../../../src/storage/artifactStore.ts';
import { createFsStore } from '../../../src/storage/folder/fsStore.ts';
import { decodeVideo } from '../../support/decodeVideo.ts';
import { smallJob } from '../../support/service.ts';

const EXAMPLE = 'examples/pour-over-coffee';
const FILES = [
  { id: 'photo', type: 'image', format: 'jpeg', path: 'pictures/01-weigh.jpg' },
  { id: 'music', type: 'audio', format: 'mp4', path: 'music/bed.m4a' },
] as const;

let folder: string;
let stores = 0;

beforeAll(async () => {
  quietFfmpeg();
  configureSharp();
  await loadFonts();
  folder = await mkdtemp(join(tmpdir(), 'preview-render-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** An empty store with the files of the example in it. */
async function openStore(): Promise<{ store: ArtifactStore; assets: ResolvedAsset[] }> {
  const store = await createFsStore(join(folder, `store-${stores++}`));
  const assets = await Promise.all(
    FILES.map(async ({ path, ...file }) => {
      const { sha256, bytes } = await store.putObject(await readFile(join(EXAMPLE, path)));
      return { ...file, sha256, bytes } as ResolvedAsset;
    }),
  );
  return { store, assets };
}

interface World {
  store: ArtifactStore;
  assets: readonly LoadedAsset[];
}

function render(job: PreviewJob, world: World, signal = new AbortController().signal): Promise<RenderResult> {
  return renderPreview(job, { ...world, onProgress: () => undefined, signal });
}

/** Six steps with every transition, a photo and music; `change` may alter the request. */
function storyboard(change: (request: PreviewRequest) => void = () => undefined): PreviewJob {
  const transitions = ['fade', 'wipe', 'slide', 'none', 'fade', 'fade'] as const;
  const job = smallJob('render', {
    steps: transitions.map((type, i) => ({
      title: `Step ${i + 1}`,
      asset: 'photo',
      durationSeconds: 1,
      transition: { type, durationSeconds: 0.4 },
    })),
    assets: FILES.map(({ id, type }) => ({ id, type, path: 'not read' })),
    audio: { music: { asset: 'music' } },
    options: { resolution: '320x180', fps: 30 },
  });
  change(job.previewRequest);
  return job;
}

const digestsOf = ({ artifacts }: RenderResult): Record<string, string> =>
  Object.fromEntries(
    // The manifest says how long the render took.
    artifacts.filter(({ name }) => name !== 'manifest.json').map(({ name, sha256 }) => [name, sha256]),
  );

describe('a render', () => {
  it('leaves the same bytes in two empty stores', async () => {
    const [one, two] = [await openStore(), await openStore()];
    const [first, second] = await Promise.all([render(storyboard(), one), render(storyboard(), two)]);
    expect(digestsOf(second)).toEqual(digestsOf(first));
    expect(Object.keys(digestsOf(first))).toHaveLength(7);
  });

  it('ends with the same bytes beside an equal one at the same time, in the same store', async () => {
    const world = await openStore();
    const made = new Map<string, number>();
    const twin = (job: PreviewJob): Promise<RenderResult> =>
      renderPreview(job, {
        ...world,
        onProgress: () => undefined,
        onPart: ({ key, reused }) => made.set(key, (made.get(key) ?? 0) + (reused ? 0 : 1)),
        signal: new AbortController().signal,
      });
    const twice = await Promise.all([twin(storyboard()), twin({ ...storyboard(), jobId: 'twin' })]);
    expect(made.size).toBeGreaterThan(15);
    expect(Math.max(...made.values())).toBeLessThanOrEqual(2);
    expect(digestsOf(twice[1])).toEqual(digestsOf(twice[0]));
    expect(digestsOf(twice[0])).toEqual(digestsOf(await render(storyboard(), await openStore())));
  });

  it('makes nothing again that is there', async () => {
    const world = await openStore();
    const first = await render(storyboard(), world);
    const again = await render({ ...storyboard(), jobId: 'again' }, world);
    expect(again.segments).toEqual({ total: 7, reused: 7 });
    expect(digestsOf(again)).toEqual(digestsOf(first));
  });

  it('makes two segments again where one step has other words: its own, and the one that leads to it', async () => {
    const world = await openStore();
    await render(storyboard(), world);
    const changed = await render(
      storyboard(({ steps }) => Object.assign(steps[2] ?? {}, { title: 'Other' })),
      world,
    );
    expect(changed.segments).toEqual({ total: 7, reused: 5 });
  });

  it('makes no segment again where only the music is another', async () => {
    const world = await openStore();
    await render(storyboard(), world);
    const silent = await render(
      storyboard((request) => Object.assign(request, { audio: {} })),
      world,
    );
    expect(silent.segments).toEqual({ total: 7, reused: 7 });
  });

  it('goes on where another one stopped', async () => {
    const world = await openStore();
    const stop = new AbortController();
    const stopped = renderPreview(storyboard(), {
      ...world,
      signal: stop.signal,
      onProgress: ({ percent }) => percent > 30 && stop.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ code: 'cancelled' });
    const retried = await render(storyboard(), world);
    expect(retried.segments.reused).toBeGreaterThan(0);
    expect(retried.segments.reused).toBeLessThan(7);
    expect(digestsOf(retried)).toEqual(digestsOf(await render(storyboard(), await openStore())));
  });

  it('is planned without being made, and the plan knows what is there', async () => {
    const world = await openStore();
    const context = { ...world, onProgress: () => undefined, signal: new AbortController().signal };
    const before = await planPreview(storyboard(), context);
    expect(before.parts.every(({ reused }) => !reused)).toBe(true);
    await render(storyboard(), world);
    const after = await planPreview(storyboard(), context);
    expect(after.parts.every(({ reused }) => reused)).toBe(true);
    expect(after.durationSeconds).toBe(9);
  });
});

describe('what a job asks for', () => {
  it('is all that is made', async () => {
    const world = await openStore();
    const outputs = (names: string[]) =>
      storyboard(({ options }) => Object.assign(options ?? {}, { outputs: names }));
    const files = async (names: string[]): Promise<string[]> =>
      (await render(outputs(names), world)).artifacts.map(({ name }) => name);
    expect(await files(['poster'])).toEqual(['poster.jpg', 'manifest.json']);
    expect(await files(['captions', 'teaser'])).toEqual([
      'teaser.webp',
      'captions.vtt',
      'captions.srt',
      'manifest.json',
    ]);
    expect(await files([])).toEqual(['manifest.json']);
  });

  it('is done without what cannot be had, with a warning, where placeholders are wanted', async () => {
    const world = await openStore();
    const torn = (await readFile(join(EXAMPLE, FILES[0].path))).subarray(0, 60_000);
    const { sha256, bytes } = await world.store.putObject(torn);
    const assets = [
      { id: 'photo', type: 'image', format: 'jpeg', sha256, bytes } as const,
      { id: 'music', type: 'audio', failure: 'Asset "music": it is gone.' } as const,
    ];
    const job = storyboard(({ options }) => Object.assign(options ?? {}, { onAssetError: 'placeholder' }));
    const { warnings, artifacts } = await render(job, { ...world, assets });
    expect(artifacts.map(({ name }) => name)).toContain('preview.mp4');
    // The plan of the same job in an empty store says the same, and one that wants no placeholder is refused like its render.
    const fresh = await openStore();
    await fresh.store.putObject(torn);
    const context = { ...fresh, assets, onProgress: () => undefined, signal: new AbortController().signal };
    expect((await planPreview(job, context)).warnings).toEqual(warnings);
    const strict = storyboard((request) => Object.assign(request, { audio: {} }));
    await expect(planPreview(strict, { ...context, assets: assets.slice(0, 1) })).rejects.toMatchObject({
      code: 'asset_corrupt',
    });
    expect(warnings.filter(({ message }) => message.includes('it is silent'))).toHaveLength(1);
    const replaced = warnings.filter(({ code, step }) => code === 'asset_replaced' && step !== undefined);
    expect(new Set(replaced.map(({ step }) => step))).toEqual(new Set([0, 1, 2, 3, 4, 5]));
    await expect(render(storyboard(), { ...world, assets })).rejects.toMatchObject({ code: 'asset_missing' });
  });

  it('names a logo that cannot be decoded', async () => {
    const { store } = await openStore();
    const torn = (await readFile(join(EXAMPLE, FILES[0].path))).subarray(0, 60_000);
    const assets = [{ id: 'logo', type: 'image', format: 'jpeg', ...(await store.putObject(torn)) } as const];
    const job = smallJob('logo', {
      steps: [{ title: 'One', durationSeconds: 1 }],
      assets: [{ id: 'logo', type: 'image', path: 'logo.jpg' }],
      options: { brand: { logo: 'logo' } },
    });
    await expect(render(job, { store, assets })).rejects.toMatchObject({
      code: 'asset_corrupt',
      message: expect.stringContaining('The logo cannot be decoded'),
    });
    Object.assign(job.previewRequest.options ?? {}, { onAssetError: 'placeholder' });
    const { warnings } = await render(job, { store, assets });
    expect(warnings).toEqual([
      { code: 'asset_replaced', message: expect.stringMatching(/^The logo cannot be decoded.*left out\.$/) },
    ]);
    const context = { store, assets, onProgress: () => undefined, signal: new AbortController().signal };
    expect((await planPreview(job, context)).warnings).toEqual(warnings);
  });

  it('shows burned-in captions one after the other, and changes no keyframe', async () => {
    const world = await openStore();
    const text = Array.from({ length: 8 }, (_, i) => `Here come words, sentence ${i + 1}.`).join(' ');
    const job = storyboard((request) => {
      request.steps = [{ title: 'Long', text, durationSeconds: 6 }];
      Object.assign(request.options ?? {}, { includeCaptions: true });
    });
    const { artifacts } = await render(job, world);
    const file = artifacts.find(({ name }) => name === 'preview.mp4');
    const frames = await decodeVideo(await world.store.readObject(file?.sha256 ?? ''));
    const step = frames.filter(({ pts }) => pts >= 3 * 15_360);
    const pictures = new Set(step.map(({ data }) => data.toString('base64')));
    // Two of the sentences fit into a caption.
    expect(pictures.size).toBe(4);
  });

  it('moves in every frame of a step with motion, and stands still in its transition', async () => {
    const world = await openStore();
    const job = storyboard(({ steps }) => {
      for (const step of steps) step.transition = { type: 'fade', durationSeconds: 0.4 };
      Object.assign(steps[1] ?? {}, { motion: 'panLeft' });
    });
    const { artifacts } = await render(job, world);
    const file = artifacts.find(({ name }) => name === 'preview.mp4');
    const frames = await decodeVideo(await world.store.readObject(file?.sha256 ?? ''));
    const at = (frame: number) => frames.filter(({ pts }) => pts / 512 >= frame);
    const second = at(120).length - at(150).length;
    const third = at(150).length - at(180).length;
    expect(second).toBe(30);
    expect(third).toBeLessThan(15);
  });
});

/** The brightness of a picture of 320x180, and how far two are apart on average. */
const luma = (data: Buffer): Buffer => data.subarray(0, 320 * 180);
const apart = (a: Buffer, b: Buffer): number =>
  luma(a).reduce((sum, value, i) => sum + Math.abs(value - (b[i] as number)), 0) / (320 * 180);

describe('what moves', () => {
  /** The last frame before a step and its first one, of a step with that motion after a fade. */
  async function around(motion: 'zoomOut' | 'panLeft'): Promise<[Buffer, Buffer]> {
    const world = await openStore();
    const job = storyboard(({ steps }) => {
      for (const step of steps) step.transition = { type: 'fade', durationSeconds: 0.4 };
      Object.assign(steps[1] ?? {}, { motion });
    });
    const { artifacts } = await render(job, world);
    const file = artifacts.find(({ name }) => name === 'preview.mp4');
    const frames = await decodeVideo(await world.store.readObject(file?.sha256 ?? ''));
    const at = (frame: number): Buffer => frames.find(({ pts }) => pts / 512 === frame)?.data as Buffer;
    return [at(119), at(120)];
  }

  it.each(['zoomOut', 'panLeft'] as const)('begins where its transition has led to: %s', async (motion) => {
    const [before, first] = await around(motion);
    expect(apart(before, first)).toBeLessThan(4);
  });

  it('plays on under its transition, where it is a video', async () => {
    const { store } = await openStore();
    const bytes = await readFile('examples/features/media/clip.mp4');
    const clip = { id: 'clip', type: 'video', format: 'mp4', ...(await store.putObject(bytes)) } as const;
    const job = storyboard((request) => {
      request.steps = [
        { asset: 'clip', durationSeconds: 1, transition: { type: 'fade', durationSeconds: 0.4 } },
        { title: 'Next', durationSeconds: 1 },
      ];
      request.assets = [{ id: 'clip', type: 'video', path: 'not read' }];
      request.audio = {};
    });
    const { artifacts } = await render(job, { store, assets: [clip] });
    const file = artifacts.find(({ name }) => name === 'preview.mp4');
    const frames = await decodeVideo(await store.readObject(file?.sha256 ?? ''));
    const at = (frame: number): Buffer => frames.find(({ pts }) => pts / 512 === frame)?.data as Buffer;
    // The transition is the frames 108 to 119; of 13 parts its last picture has 12 from the next step.
    const [last, next] = [at(107), at(120)];
    const frozen = Buffer.from(luma(last).map((value, i) => (value * 6 + (next[i] as number) * 7) / 13));
    expect(apart(at(114), frozen)).toBeGreaterThan(1);
  });
});

describe('the sound of a video', () => {
  const CLIP = { id: 'clip', type: 'video', format: 'mp4' } as const;
  /** Two steps that show the clip, the second one as it is heard; without a photo and music. */
  const filmed = storyboardOf(true);

  function storyboardOf(videoSound: boolean): PreviewJob {
    return storyboard((request) => {
      request.steps = [{ asset: 'clip' }, { asset: 'clip', videoSound }];
      request.assets = [{ ...CLIP, path: 'not read' }];
      request.audio = {};
    });
  }

  async function withClip(bytes: Buffer): Promise<World> {
    const { store } = await openStore();
    return { store, assets: [{ ...CLIP, ...(await store.putObject(bytes)) }] };
  }

  it('is in the soundtrack where the step wants it', async () => {
    const world = await withClip(await readFile('examples/features/media/clip.mp4'));
    const { artifacts, warnings } = await render(filmed, world);
    const manifest = artifacts.find(({ name }) => name === 'manifest.json');
    const { audio } = JSON.parse(String(await world.store.readObject(manifest?.sha256 ?? '')));
    expect(audio.integratedLufs).toBeGreaterThan(-24);
    expect(warnings).toEqual([]);
    const silent = await planPreview(storyboardOf(false), world);
    expect(silent.parts.map(({ kind }) => kind)).not.toContain('soundtrack');
  });

  it('is missed with a warning, in the plan too, where the video has none', async () => {
    const bytes = await readFile('examples/features/media/clip.mp4');
    // A track that is none: the demuxer passes over boxes that it does not know.
    const second = bytes.lastIndexOf('trak');
    const world = await withClip(
      Buffer.concat([bytes.subarray(0, second), Buffer.from('skip'), bytes.subarray(second + 4)]),
    );
    const context = { ...world, onProgress: () => undefined, signal: new AbortController().signal };
    const warning = { code: 'video_silent', step: 1 };
    expect((await planPreview(filmed, context)).warnings).toMatchObject([warning]);
    expect((await render(filmed, world)).warnings).toMatchObject([warning]);
  });
});

describe.each(['mp4', 'webm'] as const)('the frames of a preview as %s', (format) => {
  it('are the same bytes from two empty stores', async () => {
    const job = storyboard((request) =>
      Object.assign(request.options ?? {}, { format, outputs: ['video', 'poster', 'storyboard', 'teaser'] }),
    );
    const [first, second] = [await render(job, await openStore()), await render(job, await openStore())];
    expect(Object.keys(digestsOf(first))).toContain(`preview.${format}`);
    expect(digestsOf(second)).toEqual(digestsOf(first));
  });

  it('stand at the times of the timeline, whatever the transitions', async () => {
    const world = await openStore();
    const { artifacts } = await render(
      storyboard((request) => Object.assign(request.options ?? {}, { format })),
      world,
    );
    const file = artifacts.find(({ name }) => name === `preview.${format}`);
    const frames = await decodeVideo(
      await world.store.readObject(file?.sha256 ?? ''),
      format === 'mp4' ? 'mov' : 'matroska',
    );
    // MP4 counts in 1/15360 s here, Matroska in milliseconds.
    const second = format === 'mp4' ? 15_360 : 1000;
    const at = frames.map(({ pts }) => Math.round((pts / second) * 30));
    expect(at).toEqual([...at].sort((a, b) => a - b));
    expect(new Set(at).size).toBe(at.length);
    for (const keyframe of [0, 90, 120, 150, 180, 210, 240]) expect(at).toContain(keyframe);
    // The middle of the fade from the title card (78–90) is between both of its ends.
    const luma = (frame: number): number => {
      const data = frames[at.indexOf(frame)]?.data as Buffer;
      return data.subarray(0, 320 * 180).reduce((sum, value) => sum + value, 0) / (320 * 180);
    };
    const [from, middle, to] = [luma(0), luma(84), luma(90)];
    expect(middle).toBeGreaterThan(Math.min(from, to));
    expect(middle).toBeLessThan(Math.max(from, to));
  });
});
