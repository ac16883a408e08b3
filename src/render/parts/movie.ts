import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { soundTrack } from '../../media/audio.ts';
import { readParameterSets } from '../../media/h264/stills.ts';
import { readFragments } from '../../media/mp4/fragments.ts';
import { type IndexedSample, type MovieDetails, movieHead } from '../../media/mp4/movie.ts';
import { avcConfiguration, type Sample, type VideoTrack } from '../../media/mp4/track.ts';
import { joinSegments } from '../../media/mux.ts';
import { timescaleOf, type VideoSettings } from '../../media/video.ts';
import type { ArtifactStore, StoredObject } from '../../storage/artifactStore.ts';

/** Digests of the objects that a finished file is made of. */
export interface MovieParts {
  segments: readonly { sha256: string; frames: number }[];
  soundtrack?: string | undefined;
}

/**
 * Joins the fragments of the segments and of the soundtrack into one MP4 file with its index at the front. No picture is
 * encoded or decoded, and no more than one segment is in memory: each is read once for the index and once for its data.
 */
export async function makeMp4(
  track: VideoTrack,
  { segments, soundtrack }: MovieParts,
  details: MovieDetails,
  video: VideoSettings,
  store: ArtifactStore,
): Promise<StoredObject> {
  const read = async (sha256: string): Promise<Sample[]> => readFragments(await store.readObject(sha256));
  const pictures: IndexedSample[][] = [];
  for (const { sha256 } of segments) pictures.push(indexed(await read(sha256)));
  const sound = soundtrack === undefined ? undefined : await read(soundtrack);
  const soundChunks = sound && bySegment(sound, segments, video.fps);
  const head = movieHead(
    [
      { track, chunks: pictures },
      ...(soundChunks ? [{ track: soundTrack(video.format), chunks: soundChunks.map(indexed) }] : []),
    ],
    details,
  );
  const data = async function* (): AsyncGenerator<Buffer> {
    yield head;
    for (const [i, { sha256 }] of segments.entries()) {
      // One piece for each segment: a write for each sample would be a thousand of a few bytes.
      const shown = await read(sha256);
      yield Buffer.concat([...shown, ...(soundChunks?.[i] ?? [])].map((sample) => sample.data));
    }
  };
  return store.putObject(data());
}

const indexed = (samples: readonly Sample[]): IndexedSample[] =>
  samples.map(({ data, ...sample }) => ({ ...sample, size: data.length }));

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
  store: ArtifactStore,
): Promise<StoredObject> {
  const folder = await mkdtemp(join(tmpdir(), 'preview-'));
  try {
    const path = join(folder, 'preview.webm');
    const sources = segments.map(({ sha256, frames }) => ({ frames, read: () => store.readObject(sha256) }));
    const sound = soundtrack === undefined ? undefined : await store.readObject(soundtrack);
    await joinSegments(path, sources, sound, { format: 'webm', fps });
    return await store.putObject(createReadStream(path));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
