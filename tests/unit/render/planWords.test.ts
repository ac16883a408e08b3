import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PreviewJob } from '../../../src/job/previewJob.types.ts';
import { loadFonts } from '../../../src/media/text/fonts.ts';
import { missingScripts } from '../../../src/media/text/glyphs.ts';
import { isPlain } from '../../../src/render/parts/wordsBound.ts';
import { planPreview } from '../../../src/render/planPreview.ts';
import { planWords } from '../../../src/render/planWords.ts';
import type { ArtifactStore } from '../../../src/storage/artifactStore.ts';
import { createFsStore } from '../../../src/storage/folder/fsStore.ts';

const SOURCES = resolve(import.meta.dirname, '../../../src');
let folder: string;
let store: ArtifactStore;
beforeAll(async () => {
  await loadFonts();
  folder = await mkdtemp(join(tmpdir(), 'preview-plan-'));
  store = await createFsStore(folder);
});
afterAll(() => rm(folder, { recursive: true }));

function wordsJob(request: Partial<PreviewJob['previewRequest']> = {}): PreviewJob {
  const steps = [
    {
      title: 'Take a sheet',
      text: 'Any paper will do that holds a fold. Even "wrapping" paper: good & cheap.',
    },
    { title: 'Fold it twice', transition: { type: 'wipe' as const, durationSeconds: 0.4 } },
    { text: 'Größe, façade, £5: plain letters only.', durationSeconds: 4 },
  ];
  return {
    ...{ jobId: 'plan', projectId: 'tests', requestId: 'r', dryRun: true },
    previewRequest: { title: 'A crane', steps, assets: [], audio: {}, ...request },
  };
}

describe('a plan of words alone', () => {
  it.each([
    ['as they are', {}],
    ['without steps', { steps: [] }],
    ['with captions', { options: { includeCaptions: true } }],
    ['for a phone', { options: { resolution: '720x1280', theme: 'paper', fps: 60 } }],
    ['with other files', { options: { format: 'webm', outputs: ['poster'] } }],
    ['with motion', { steps: [{ text: 'Look here', motion: 'zoomIn' }] }],
  ] as [string, Partial<PreviewJob['previewRequest']>][])(
    'is that of a render process, %s',
    async (_, request) => {
      const job = wordsJob(request);
      const plan = await planWords(job, store);
      expect(plan).toBeDefined();
      expect(plan).toEqual(await planPreview(job, { assets: [], store }));
    },
  );

  it('knows what is there, and how long the rest would take', async () => {
    const job = wordsJob();
    const [first] = (await planWords(job, store))?.parts ?? [];
    const object = await store.putObject(Buffer.from('a segment'));
    await store.putPart(first?.key ?? '', object);
    const plan = await planWords(job, store);
    expect(plan?.parts.map(({ reused }) => reused)).toEqual([true, false, false, false]);
    expect(plan).toEqual(await planPreview(job, { assets: [], store }));
  });

  it.each([
    ['has assets', { assets: [{ id: 'a', type: 'image', url: 'https://pictures.test/a.png' }] }],
    ['has letters that a font may lack', { title: '折り鶴' }],
    ['has signs that are drawn by another font', { title: 'A crane 🦢' }],
    ['has so many steps that it takes a while', { steps: Array(61).fill({ text: 'Wait' }) }],
    ['may have more words than fit', { steps: [{ text: 'word '.repeat(400) }] }],
  ] as [string, Partial<PreviewJob['previewRequest']>][])(
    'is left to a render process where a job %s',
    async (_, request) => {
      expect(await planWords(wordsJob(request), store)).toBeUndefined();
    },
  );

  it('is refused where it would be too long', async () => {
    const steps = Array(50).fill({ text: 'Wait', durationSeconds: 120 });
    await expect(planWords(wordsJob({ steps }), store)).rejects.toMatchObject({ code: 'preview_too_long' });
  });

  it('counts as plain what every font here has', () => {
    const plain = Array.from({ length: 0x250 }, (_, code) => String.fromCodePoint(code)).filter(isPlain);
    expect(plain.length).toBeGreaterThan(180);
    expect(missingScripts(plain.join(''))).toEqual([]);
  });

  it('loads nothing native, so that the process of the worker can make it', () => {
    const seen = new Set<string>();
    const visit = (path: string): void => {
      if (seen.has(path)) return;
      seen.add(path);
      const source = readFileSync(path, 'utf8');
      expect(source, path).not.toMatch(/^(import|export) (?!type )[^;]*from '(sharp|node-av)/m);
      for (const [, target = ''] of source.matchAll(/^(?:import|export) (?!type )[^;]*?from '(\.[^']+)'/gm))
        visit(join(dirname(path), target));
    };
    visit(join(SOURCES, 'render/planWords.ts'));
    expect(seen.size).toBeGreaterThan(12);
  });
});
