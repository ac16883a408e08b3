import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { PreviewJob } from '../../../src/job/previewJob.types.ts';
import { quietFfmpeg } from '../../../src/media/ffmpeg.ts';
import { loadFonts } from '../../../src/media/text/fonts.ts';
import type { PartReport } from '../../../src/render/parts/partMaker.ts';
import { renderPreview } from '../../../src/render/renderPreview.ts';
import { createSoundThread } from '../../../src/render/sound/soundThread.ts';
import type { ArtifactStore } from '../../../src/storage/artifactStore.ts';
import { createFsStore } from '../../../src/storage/folder/fsStore.ts';

let folder: string;
let store: ArtifactStore;
beforeEach(async () => {
  quietFfmpeg();
  await loadFonts();
  folder = await mkdtemp(join(tmpdir(), 'preview-stopping-'));
  store = await createFsStore(folder);
});
afterEach(() => rm(folder, { recursive: true }));

/** How many cores this process keeps busy, on the average over so many milliseconds: it takes as long as it measures. */
async function busyShare(milliseconds: number): Promise<number> {
  const [before, started] = [process.cpuUsage(), performance.now()];
  await sleep(milliseconds);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / (performance.now() - started);
}

async function slowJob(): Promise<{ job: PreviewJob; music: { sha256: string; bytes: number } }> {
  const music = await store.putObject(readFileSync('examples/pour-over-coffee/music/bed.m4a'));
  const job: PreviewJob = {
    jobId: 'slow',
    projectId: 'tests',
    requestId: 'tests',
    dryRun: false,
    previewRequest: {
      steps: Array.from({ length: 30 }, (_, i) => ({ title: `Step ${i}`, durationSeconds: 5 })),
      assets: [{ id: 'music', type: 'audio', upload: music.sha256 }],
      audio: { music: { asset: 'music' } },
    },
  };
  return { job, music };
}

it('a render that is given up ends soon, with nothing of it at work, and the next one goes on from there', async () => {
  const { job, music } = await slowJob();
  const assets = [{ id: 'music', type: 'audio' as const, format: 'mp4' as const, ...music }];
  const control = new AbortController();
  const parts: PartReport[] = [];
  const makeSoundtrack = createSoundThread();
  const context = { store, assets, makeSoundtrack, onProgress: () => undefined };
  let stopped = 0;
  const rendering = renderPreview(job, {
    ...context,
    signal: control.signal,
    onPart: (part) => {
      parts.push(part);
      if (stopped > 0 || part.kind !== 'segment') return;
      stopped = performance.now();
      control.abort();
    },
  });
  await expect(rendering).rejects.toMatchObject({ code: 'cancelled' });
  // Without being stopped the 150 seconds of sound alone take several seconds.
  expect(performance.now() - stopped).toBeLessThan(1500);
  const made = parts.filter(({ kind, reused }) => kind === 'segment' && !reused).length;
  expect(made).toBeGreaterThan(0);

  expect(await busyShare(200)).toBeLessThan(0.5);

  const { segments } = await renderPreview(job, { ...context, signal: new AbortController().signal });
  expect(segments.reused).toBeGreaterThanOrEqual(made);
  expect(segments.total).toBe(30);
});
