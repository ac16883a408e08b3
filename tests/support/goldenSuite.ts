/**
 * Every example is rendered, and its frames are compared with small pictures of how they looked when somebody looked at
 * them. A changed picture fails, and leaves both and their difference in test-output/golden.
 *
 *     UPDATE_GOLDEN=1 npx vitest run golden    keeps the new looks; look at them first
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadAssets } from '../../src/assets/resolveAssets.ts';
import type { PreviewJob } from '../../src/job/previewJob.types.ts';
import { quietFfmpeg } from '../../src/media/ffmpeg.ts';
import { configureSharp } from '../../src/media/picture/image.ts';
import { loadFonts } from '../../src/media/text/fonts.ts';
import { renderPreview } from '../../src/render/renderPreview.ts';
import { createFsStore } from '../../src/storage/folder/fsStore.ts';
import { decodeVideo } from './decodeVideo.ts';
import { yuvToRgb } from './yuvToRgb.ts';

const UPDATE = process.env.UPDATE_GOLDEN === '1';
const GOLDEN = 'tests/golden';
const OUTPUT = 'test-output/golden';
const THUMB_HEIGHT = 90;
/** Colour differences (CIE 1976; 2.3 is just noticeable): their mean, and what at most two pixels in a thousand exceed. */
const [MEAN_LIMIT, TAIL_LIMIT] = [0.2, 4];

/** The examples in which each frame is another picture: they take as long as all others together. */
export const MOVING = ['examples/features/focus.json', 'examples/features/motion.json'];

export const examples = readdirSync('examples', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name }) =>
    readdirSync(join('examples', name))
      .filter((file) => file.endsWith('.json'))
      .map((file) => join('examples', name, file)),
  );

interface Strip {
  width: number;
  height: number;
  rgb: Buffer;
}

/** A frame in the middle of each step and of each transition, small, side by side. */
async function renderStrip(path: string, folder: string): Promise<Strip> {
  const job = JSON.parse(await readFile(path, 'utf8')) as PreviewJob;
  const store = await createFsStore(join(folder, basename(path)));
  const signal = new AbortController().signal;
  const assets = await loadAssets(job, {
    store,
    baseFolder: dirname(path),
    maxBytes: 1e8,
    signal,
  });
  const { artifacts } = await renderPreview(job, { store, assets, signal, onProgress: () => undefined });
  const digest = (name: string): string => artifacts.find((file) => file.name === name)?.sha256 ?? '';
  const manifest = JSON.parse(String(await store.readObject(digest('manifest.json')))) as {
    steps: { startSeconds: number; endSeconds: number }[];
    width: number;
    height: number;
    fps: number;
  };
  const { width, height, fps, steps } = manifest;
  const frames = await decodeVideo(await store.readObject(digest('preview.mp4')));
  const times = steps.flatMap(({ startSeconds, endSeconds }) => [
    startSeconds - 0.25,
    (startSeconds + endSeconds) / 2,
  ]);
  const small = { width: Math.round((THUMB_HEIGHT * width) / height), height: THUMB_HEIGHT };
  const pictures = await Promise.all(
    times.map((seconds) => {
      const shown = frames.findLast(({ pts }) => pts / (fps * 512) <= seconds + 0.001) ?? frames[0];
      const rgb = yuvToRgb({ width, height, data: shown?.data as Buffer });
      return sharp(rgb, { raw: { width, height, channels: 3 } })
        .resize(small.width, small.height, { fit: 'fill' })
        .png()
        .toBuffer();
    }),
  );
  const strip = sharp({
    create: { width: small.width * pictures.length, height: small.height, channels: 3, background: '#000' },
  }).composite(pictures.map((input, i) => ({ input, left: i * small.width, top: 0 })));
  const { data, info } = await strip.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, rgb: data };
}

/** CIE 1976 colour difference of each pixel. */
async function differences(one: Strip, other: Strip): Promise<Float32Array> {
  const [a, b] = await Promise.all([toLab(one), toLab(other)]);
  return Float32Array.from({ length: a.length / 3 }, (_, i) =>
    Math.hypot(
      (a[i * 3] as number) - (b[i * 3] as number),
      (a[i * 3 + 1] as number) - (b[i * 3 + 1] as number),
      (a[i * 3 + 2] as number) - (b[i * 3 + 2] as number),
    ),
  );
}

async function toLab({ width, height, rgb }: Strip): Promise<Float32Array> {
  const bytes = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .toColourspace('lab')
    .raw({ depth: 'float' })
    .toBuffer();
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

const save = ({ width, height, rgb }: Strip, path: string): Promise<unknown> =>
  sharp(rgb, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 9, adaptiveFiltering: true })
    .toFile(path);

export function goldenSuite(paths: readonly string[]): void {
  describe('the examples look as they did', () => {
    let folder: string;

    beforeAll(async () => {
      quietFfmpeg();
      configureSharp();
      await loadFonts();
      folder = mkdtempSync(join(tmpdir(), 'preview-golden-'));
    });

    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it.each(paths)('%s', { timeout: 60_000 }, async (path) => {
      const name = `${basename(dirname(path))}-${basename(path, '.json')}`;
      const golden = join(GOLDEN, `${name}.png`);
      const strip = await renderStrip(path, folder);
      if (UPDATE) await save(strip, golden);
      expect(existsSync(golden), `${golden} is missing; make it with UPDATE_GOLDEN=1`).toBe(true);
      const { data, info } = await sharp(golden).removeAlpha().raw().toBuffer({ resolveWithObject: true });
      const kept = { width: info.width, height: info.height, rgb: data };
      expect([strip.width, strip.height]).toEqual([kept.width, kept.height]);
      const found = await differences(strip, kept);
      const mean = found.reduce((sum, value) => sum + value, 0) / found.length;
      const tail = found.toSorted()[Math.floor(found.length * 0.998)] ?? 0;
      if (mean > MEAN_LIMIT || tail > TAIL_LIMIT) {
        mkdirSync(OUTPUT, { recursive: true });
        await save(strip, join(OUTPUT, `${name}-now.png`));
        await save(kept, join(OUTPUT, `${name}-before.png`));
        const gray = Buffer.from(found.map((value) => Math.min(255, value * 8)));
        const raw = { width: kept.width, height: kept.height, channels: 1 as const };
        writeFileSync(join(OUTPUT, `${name}-difference.png`), await sharp(gray, { raw }).png().toBuffer());
      }
      expect(mean, `mean difference; see ${OUTPUT}`).toBeLessThanOrEqual(MEAN_LIMIT);
      expect(tail, `difference of the last 0.2 %; see ${OUTPUT}`).toBeLessThanOrEqual(TAIL_LIMIT);
    });
  });
}
