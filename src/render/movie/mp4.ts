import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PreviewError } from '../../errors.ts';
import { timescaleOf, type VideoSettings } from '../../media/codecs.ts';
import { readParameterSets } from '../../media/h264/stills.ts';
import { readFragments } from '../../media/mp4/fragments.ts';
import { indexed, type MovieDetails, movieHead } from '../../media/mp4/movie.ts';
import { avcConfiguration, type Sample, type VideoTrack } from '../../media/mp4/track.ts';
import { soundTrack } from '../../media/sound/audio.ts';
import { joinSegments } from '../../media/video/mux.ts';
import { reservedBytes, type WebmChapter, writeChapters } from '../../media/webm/webmChapters.ts';
import type { ArtifactStore, StoredObject, StoredPart } from '../../storage/artifactStore.ts';
import type { Render } from '../render.ts';
import { samplesIn } from '../segments/segment.ts';

/** What a finished file is made of. */
export interface MovieParts {
  segments: readonly { part: StoredPart; frames: number }[];
  soundtrack?: StoredPart | undefined;
}

/**
 * Joins the fragments of the segments and of the soundtrack into one MP4 file with its index at the front. No picture is
 * encoded or decoded. Each segment is read once, for its data, and while one is written the next is read: no more than
 * two are in memory.
 */
export async function makeMp4(
  track: VideoTrack,
  { segments, soundtrack }: MovieParts,
  details: MovieDetails,
  video: VideoSettings,
  { store, signal }: Pick<Render, 'store' | 'signal'>,
): Promise<StoredObject> {
  const pictures = segments.map(({ part }) => samplesIn(part));
  const sound = soundtrack && readFragments(await store.readObject(soundtrack.sha256));
  const soundChunks = sound && bySegment(sound, segments, video.fps);
  const head = movieHead(
    [
      { track, chunks: pictures },
      ...(soundChunks ? [{ track: soundTrack(video.format), chunks: soundChunks.map(indexed) }] : []),
    ],
    details,
  );
  const read = (i: number): Promise<Buffer> | undefined => {
    const reading = segments[i] && store.readObject(segments[i].part.sha256);
    // Whoever waits for it hears of it; where writing failed meanwhile nobody does.
    reading?.catch(() => undefined);
    return reading;
  };
  const data = async function* (): AsyncGenerator<Buffer> {
    yield head;
    let next = read(0);
    for (let i = 0; i < segments.length; i++) {
      if (signal.aborted) throw new PreviewError('cancelled');
      const shown = await next;
      next = read(i + 1);
      if (shown) yield samplesOf(shown, pictures[i] ?? []);
      // One piece for each segment: a write for each frame of sound would be a thousand of a few bytes.
      const heard = soundChunks?.[i] ?? [];
      if (heard.length > 0) yield Buffer.concat(heard.map((sample) => sample.data));
    }
  };
  return store.putObject(data());
}

/** The data of a segment's samples, which lie at the end of its fragment one after the other. */
function samplesOf(fragment: Buffer, samples: readonly { size: number }[]): Buffer {
  return fragment.subarray(fragment.length - samples.reduce((sum, { size }) => sum + size, 0));
}

/** The sound of each segment, so that players find both near each other in the file; the last one has all that is left. */
function bySegment(sound: readonly Sample[], segments: MovieParts['segments'], fps: number): Sample[][] {
  const track = soundTrack('mp4');
  let time = -track.priming;
  let next = 0;
  let frames = 0;
  return segments.map((segment, i) => {
    frames += segment.frames;
    const end = i === segments.length - 1 ? Number.POSITIVE_INFINITY : (frames / fps) * track.timescale;
    const from = next;
    for (; next < sound.length && time < end; next++) time += (sound[next] as Sample).duration;
    return sound.slice(from, next);
  });
}

/** The video track of a preview, of which `still` is any: all have the same parameter sets. */
export function videoTrack(still: Buffer, video: VideoSettings): VideoTrack {
  const { sps, pps } = readParameterSets(still);
  const { width, height } = video;
  return { kind: 'video', timescale: timescaleOf(video), width, height, avcC: avcConfiguration(sps, pps) };
}

/** Joins the segments and the soundtrack of a WebM preview by copying their packets. */
export async function makeWebm(
  { segments, soundtrack }: MovieParts,
  { fps }: VideoSettings,
  { title, chapters }: { title: string | undefined; chapters: readonly WebmChapter[] },
  store: ArtifactStore,
): Promise<StoredObject> {
  const folder = await mkdtemp(join(tmpdir(), 'preview-'));
  try {
    const path = join(folder, 'preview.webm');
    const sources = segments.map(({ part, frames }) => ({
      frames,
      read: () => store.readObject(part.sha256),
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
