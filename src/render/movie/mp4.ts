import { PreviewError } from '../../errors.ts';
import type { VideoSettings } from '../../media/codecs.ts';
import { readFragments } from '../../media/mp4/fragments.ts';
import { indexed, type MovieDetails, movieHead } from '../../media/mp4/movie.ts';
import type { Sample, VideoTrack } from '../../media/mp4/track.ts';
import { soundTrack } from '../../media/sound/audio.ts';
import type { StoredObject } from '../../storage/artifactStore.ts';
import { samplesIn } from '../segments/segment.ts';
import type { Workbench } from '../workbench.ts';
import type { MovieSources } from './movieSources.ts';

/**
 * Joins the fragments of the segments and of the soundtrack into one MP4 file with its index at the front. No picture is
 * encoded or decoded. Each segment is read once, for its data, and while one is written the next is read: no more than
 * two are in memory.
 */
export async function joinMp4(
  track: VideoTrack,
  { segments, soundtrack }: MovieSources,
  details: MovieDetails,
  video: VideoSettings,
  { store, signal }: Pick<Workbench, 'store' | 'signal'>,
): Promise<StoredObject> {
  const pictures = segments.map(({ stored }) => samplesIn(stored));
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
    const reading = segments[i] && store.readObject(segments[i].stored.sha256);
    // Whoever awaits it gets the error. If writing fails first, nobody awaits it, and it must not end the process.
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

/** Shares the sound out among the segments, so that it lies near its pictures in the file. The last segment gets the rest. */
function bySegment(sound: readonly Sample[], segments: MovieSources['segments'], fps: number): Sample[][] {
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
