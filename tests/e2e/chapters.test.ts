import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quietFfmpeg } from '../../src/media/ffmpeg.ts';
import { configureSharp } from '../../src/media/picture/image.ts';
import { loadFonts } from '../../src/media/text/fonts.ts';
import { renderPreview } from '../../src/render/renderPreview.ts';
import { createFsStore } from '../../src/storage/folder/fsStore.ts';
import { smallJob } from '../support/service.ts';

let folder: string;

beforeAll(async () => {
  quietFfmpeg();
  configureSharp();
  await loadFonts();
  folder = mkdtempSync(join(tmpdir(), 'preview-chapters-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const TITLES = ['The beginning', 'مرحبا & <b>', 'The end'];

describe.each(['mp4', 'webm'] as const)('the chapters in a preview as %s', (format) => {
  it.each([1, 3, 60])('are those of its timeline, %i steps', async (count) => {
    const job = smallJob('chapters', {
      title: 'Opening',
      steps: Array.from({ length: count }, (_, i) => ({ title: TITLES[i % 3] ?? '', durationSeconds: 1 })),
      options: { resolution: '160x160', fps: 10, format, outputs: ['video'] },
    });
    const store = await createFsStore(join(folder, `${format}-${count}`));
    const { artifacts } = await renderPreview(job, {
      store,
      assets: [],
      onProgress: () => undefined,
      signal: new AbortController().signal,
    });
    const path = join(folder, `${count}.${format}`);
    writeFileSync(path, await store.readObject(artifacts[0]?.sha256 ?? ''));
    const probe = spawnSync(
      'ffprobe',
      ['-v', 'warning', '-show_chapters', '-show_format', '-of', 'json', path],
      {
        encoding: 'utf8',
      },
    );
    expect(probe.stderr).toBe('');
    const { chapters, format: container } = JSON.parse(probe.stdout) as {
      chapters: { start_time: string; end_time: string; tags: { title: string } }[];
      format: { duration: string; tags: { title?: string } };
    };
    expect(container.tags.title).toBe('Opening');
    expect(Number(container.duration)).toBeCloseTo(3 + count, 1);
    const expected = [
      { start: 0, end: 3, title: 'Opening' },
      ...Array.from({ length: count }, (_, i) => ({ start: 3 + i, end: 4 + i, title: TITLES[i % 3] })),
    ];
    expect(
      chapters.map(({ start_time, end_time, tags }) => ({
        start: Number(start_time),
        end: Number(end_time),
        title: tags.title,
      })),
    ).toEqual(expected);
    const decoded = spawnSync('ffmpeg', ['-v', 'warning', '-i', path, '-f', 'null', '-'], {
      encoding: 'utf8',
    });
    expect(decoded.stderr).toBe('');
  });
});
