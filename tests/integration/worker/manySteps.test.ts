import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ResolvedAsset } from '../../../src/assets/resolveAssets.ts';
import type { OutputName, PreviewJob } from '../../../src/job/previewJob.types.ts';
import { configureSharp, encodeJpeg } from '../../../src/media/picture/image.ts';
import type { RenderResult } from '../../../src/render/renderPreview.ts';
import type { ArtifactStore } from '../../../src/storage/artifactStore.ts';
import { createFsStore } from '../../../src/storage/folder/fsStore.ts';
import { createRenderPool, type RenderPool } from '../../../src/worker/renderProcess/renderProcess.ts';
import {
  createRenderSandbox,
  type SandboxLimits,
} from '../../../src/worker/renderProcess/sandbox/renderSandbox.ts';
import { wav } from '../../support/hostileFiles.ts';
import { smallJob } from '../../support/service.ts';

/** The built child: from sources it cannot be confined. */
const CHILD = new URL('../../../dist/worker/renderProcess/renderChild.js', import.meta.url);
const canRun = existsSync(CHILD) && process.platform === 'linux';
/** The most that a job may have. */
const STEPS = 500;

describe.runIf(canRun)('storyboards of many steps in a confined process', { timeout: 240_000 }, () => {
  let folder: string;
  let store: ArtifactStore;
  let assets: ResolvedAsset[];

  beforeAll(async () => {
    configureSharp();
    folder = await mkdtemp(join(tmpdir(), 'preview-many-'));
    store = await createFsStore(join(folder, 'store'));
    const pairs = Array.from(
      { length: STEPS },
      async (_, i): Promise<ResolvedAsset[]> => [
        { id: `picture-${i}`, type: 'image', format: 'jpeg', ...(await store.putObject(await picture(i))) },
        { id: `voice-${i}`, type: 'audio', format: 'wav', ...(await store.putObject(voice(i))) },
      ],
    );
    assets = (await Promise.all(pairs)).flat();
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Each time in a process that remembers nothing. */
  const inNewProcess = async <Result>(
    use: (pool: RenderPool) => Promise<Result>,
    limits?: SandboxLimits,
  ): Promise<Result> => {
    const sandbox = createRenderSandbox(limits, { isBuilt: true });
    const pool = createRenderPool(join(folder, 'store'), { entry: CHILD, sandbox });
    try {
      return await use(pool);
    } finally {
      await pool.close();
    }
  };
  const control = { signal: new AbortController().signal, onProgress: () => undefined };
  const render = (job: PreviewJob, limits?: SandboxLimits) =>
    inNewProcess((pool) => pool.render({ job, assets }, control), limits);
  const text = async ({ artifacts }: RenderResult, name: string): Promise<string> => {
    const found = artifacts.find((artifact) => artifact.name === name);
    return String(await store.readObject(found?.sha256 ?? ''));
  };

  it('are rendered with 500 pictures and narrations, and what was rendered is found again', async () => {
    const first = await render(storyboard('first'));
    expect(first.segments).toEqual({ total: STEPS + 1, reused: 0 });
    expect(JSON.parse(await text(first, 'manifest.json')).steps).toHaveLength(STEPS);
    for (const name of ['storyboard.vtt', 'chapters.vtt']) {
      expect((await text(first, name)).match(/-->/g), name).toHaveLength(STEPS + 1);
    }
    const again = await render(storyboard('again'));
    expect(again.segments).toEqual({ total: STEPS + 1, reused: STEPS + 1 });
    const plan = await inNewProcess((pool) => pool.plan({ job: storyboard('planned'), assets }, control));
    expect(plan.parts.filter(({ reused }) => reused)).toHaveLength(STEPS + 2);
  });

  it('have few of their pictures in memory at a time, also where only a sheet of them is made', async () => {
    const job = storyboard('sheet', { steps: 80, resolution: '1280x720', outputs: ['storyboard'] });
    // All of them at once took 780 MB.
    const { artifacts } = await render(job, { memoryBytes: 400e6, cpuSeconds: 600 });
    expect(artifacts.map(({ name }) => name)).toEqual(['storyboard.jpg', 'storyboard.vtt', 'manifest.json']);
  });
});

/** Each another colour. */
function picture(index: number): Promise<Buffer> {
  const data = Buffer.alloc(32 * 18 * 3);
  for (let at = 0; at < data.length; at += 3) data.writeUIntBE(index * 33_000, at, 3);
  return encodeJpeg({ width: 32, height: 18, data }, 90);
}

/** A tenth of a second, each another tone. */
function voice(index: number): Buffer {
  const samples = Int16Array.from({ length: 800 }, (_, i) => 8000 * Math.sin((i * (100 + index)) / 1000));
  return wav(1, 8000, 16, 1, Buffer.from(samples.buffer));
}

function storyboard(
  jobId: string,
  { steps = STEPS, ...options }: { steps?: number; resolution?: string; outputs?: OutputName[] } = {},
): PreviewJob {
  return smallJob(jobId, {
    title: 'Many steps',
    steps: Array.from({ length: steps }, (_, i) => ({
      title: `Step ${i + 1}`,
      asset: `picture-${i}`,
      narration: `voice-${i}`,
      durationSeconds: 0.5,
    })),
    assets: Array.from({ length: STEPS }, (_, i) => [
      { id: `picture-${i}`, type: 'image' as const, path: 'not read' },
      { id: `voice-${i}`, type: 'audio' as const, path: 'not read' },
    ]).flat(),
    options: { resolution: '160x160', fps: 10, ...options },
  });
}
