import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { VideoSettings } from '../../media/codecs.ts';
import { joinSegments } from '../../media/video/mux.ts';
import { reservedBytes, type WebmChapter, writeChapters } from '../../media/webm/webmChapters.ts';
import type { ArtifactStore, StoredObject } from '../../storage/artifactStore.ts';
import type { MovieSources } from './movieSources.ts';

/** Joins the segments and the soundtrack of a WebM preview by copying their packets. */
export async function joinWebm(
  { segments, soundtrack }: MovieSources,
  { fps }: VideoSettings,
  { title, chapters }: { title: string | undefined; chapters: readonly WebmChapter[] },
  store: ArtifactStore,
): Promise<StoredObject> {
  const folder = await mkdtemp(join(tmpdir(), 'preview-'));
  try {
    const path = join(folder, 'preview.webm');
    const sources = segments.map(({ stored, frames }) => ({
      frames,
      read: () => store.readObject(stored.sha256),
    }));
    const sound = soundtrack && (await store.readObject(soundtrack.sha256));
    const indexBytes = reservedBytes(segments.length, chapters);
    await joinSegments(path, sources, sound, { format: 'webm', fps, indexBytes, title });
    await writeChapters(path, chapters, indexBytes);
    return await store.putObject(createReadStream(path));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
