import type { FastifyInstance, FastifyReply } from 'fastify';
import { PreviewError } from '../../errors.ts';
import { SAMPLE_RATE } from '../../media/codecs.ts';
import { fragmentRanges } from '../../media/mp4/fragments.ts';
import type { JobEvents } from '../../queue/events/jobEvents.ts';
import { getStream, type JobName, type StreamPlan } from '../../render/movie/stream.ts';
import { findParts } from '../../render/parts/findParts.ts';
import type { ArtifactStore, StoredPart } from '../../storage/artifactStore.ts';
import type { UrlSigner } from '../../storage/signedUrls/signedUrl.ts';
import { problemResponses } from '../http/problemSchema.ts';
import { type JobRequest, jobQuery, refOf } from '../jobs/jobRef.ts';
import type { KnownJobs } from '../jobs/knownJobs.ts';
import { mediaPlaylist, multivariantPlaylist } from './hls.ts';
import { watchJob } from './jobWatch.ts';
import { playlistSchema } from './streamSchemas.ts';

interface PlaylistRequest extends JobRequest {
  query: JobRequest['query'] & {
    /** Blocking Playlist Reload (RFC 8216bis, 6.2.5.2): the segment that the player waits for. */
    _HLS_msn?: number;
  };
}

/** How long a player that comes too early is kept waiting before it is told to try again. */
const WAIT_MS = 10_000;
const LOOK_MS = 25;
/** Bits for each pixel of a transition, in a second. It is generous: told too little, a player may decide to wait. */
const BITS_PER_PIXEL = 0.1;

/**
 * The preview as HLS, while it is being rendered and after. A playlist names the segments that are in the store, in
 * order, up to the first that is missing; so any process that has the store can serve any job's stream.
 */
export function streamRoutes(
  app: FastifyInstance,
  {
    known,
    store,
    signer,
    events,
  }: { known: KnownJobs; store: ArtifactStore; signer: UrlSigner; events: JobEvents },
): void {
  const link = ({ sha256 }: { sha256: string }, name: string): string =>
    signer.sign({ sha256, name, lasting: true }).path;

  /** Waits for something that the render will produce; undefined if the job ends without it. */
  const awaited = async <Found>(
    job: JobName,
    look: () => Promise<Found | undefined>,
  ): Promise<Found | undefined> => {
    const first = await look();
    if (first !== undefined) return first;
    const watch = watchJob(events, job);
    try {
      for (const deadline = Date.now() + WAIT_MS; ; await watch.changed(LOOK_MS)) {
        // This comes first: once the job has ended, everything that it produced can be found.
        const ended = await hasEnded(job);
        const found = await look();
        if (found !== undefined || ended) return found;
        if (Date.now() > deadline) throw new PreviewError('stream_not_ready');
      }
    } finally {
      watch.stop();
    }
  };
  const streamOf = async (request: JobRequest): Promise<{ job: JobName; stream: StreamPlan }> => {
    const job = await known.find(refOf(request));
    const stream = await awaited(job, () => getStream(store, job));
    if (!stream) throw new PreviewError('no_stream');
    return { job, stream };
  };
  /** Looking into the store is cheap, so waiting callers may do so often. */
  const hasEnded = async ({ projectId, jobId }: JobName): Promise<boolean> =>
    (await store.getRecord(projectId, jobId)) !== undefined;

  const route = (
    path: string,
    summary: string,
    playlist: (request: PlaylistRequest) => Promise<string>,
  ): void => {
    app.get<{ Params: JobRequest['params']; Querystring: PlaylistRequest['query'] }>(
      `/api/preview/job/:jobId/${path}`,
      {
        schema: {
          tags: ['stream'],
          summary,
          ...playlistSchema,
          response: { ...playlistSchema.response, ...problemResponses(401, 404, 409, 503) },
        },
      },
      async (request, reply) => sendPlaylist(reply, await playlist(request)),
    );
  };

  route('stream.m3u8', 'Play the preview as HLS, also while it is rendered', async (request) => {
    const { job, stream } = await streamOf(request);
    const init = await awaited(job, () => store.getPart(stream.init));
    if (!init) throw new PreviewError('no_stream');
    const { width, height, fps } = stream.video;
    const query = jobQuery(request);
    return multivariantPlaylist({
      video: `stream/video.m3u8${query}`,
      ...(stream.soundtrack ? { audio: `stream/audio.m3u8${query}` } : {}),
      codecs: [String(init.meta?.codec), ...(stream.soundtrack ? ['mp4a.40.2'] : [])],
      bitsPerSecond: width * height * fps * BITS_PER_PIXEL,
      width,
      height,
      fps,
    });
  });

  route('stream/video.m3u8', 'Get the playlist of the segments that are ready', async (request) => {
    const { job, stream } = await streamOf(request);
    const { video, timescale, segments } = stream;
    // Nobody can wait for a segment after the last one.
    const wanted = Math.min(Number(request.query._HLS_msn ?? 0), segments.length - 1);
    const arrived = arrivals(store, stream);
    await awaited(job, async () => ((await arrived()) > wanted ? true : undefined)).catch(async (error) => {
      // A caller that waits for one more segment gets the segments that exist.
      if ((await arrived()) === 0) throw error;
    });
    const ended = await hasEnded(job);
    const [init, ready] = await Promise.all([store.getPart(stream.init), readySegments(store, stream)]);
    if (!init) throw new PreviewError('no_stream');
    let frames = 0;
    return mediaPlaylist({
      init: { url: link(init, 'init.mp4') },
      segments: ready.map((part, i) => {
        const start = (frames * timescale) / video.fps;
        frames += segments[i]?.frames ?? 0;
        return { seconds: (segments[i]?.frames ?? 0) / video.fps, url: link(part, `${start}.m4s`) };
      }),
      longestSeconds: Math.max(...segments.map((segment) => segment.frames)) / video.fps,
      isComplete: ended || ready.length === segments.length,
    });
  });

  route('stream/audio.m3u8', 'Get the playlist of the soundtrack', async (request) => {
    const { job, stream } = await streamOf(request);
    const { soundtrack } = stream;
    if (soundtrack === undefined) throw new PreviewError('no_stream', 'This preview has no sound.');
    const part = await awaited(job, () => store.getPart(soundtrack));
    if (!part) throw new PreviewError('no_stream');
    const { init, fragments } = fragmentRanges(await store.readObject(part.sha256));
    const url = link(part, 'sound.m4a');
    const seconds = fragments.map(({ duration }) => duration / SAMPLE_RATE);
    return mediaPlaylist({
      init: { url, range: init },
      segments: fragments.map((range, i) => ({ seconds: seconds[i] ?? 0, url, range })),
      longestSeconds: Math.max(...seconds),
      isComplete: true,
    });
  });
}

/** Counts the segments from the first to the first gap. Segments that were found once are not looked up again. */
function arrivals(store: ArtifactStore, { segments }: StreamPlan): () => Promise<number> {
  let count = 0;
  return async () => {
    for (; count < segments.length; count++) {
      if (!(await store.getPart(segments[count]?.key ?? ''))) break;
    }
    return count;
  };
}

/** The segments from the first to the last before one that is missing. */
async function readySegments(store: ArtifactStore, { segments }: StreamPlan): Promise<StoredPart[]> {
  const keys = segments.map(({ key }) => key);
  const parts = await findParts(keys, store.getPart);
  const missing = parts.indexOf(undefined);
  return parts.slice(0, missing < 0 ? parts.length : missing).filter((part) => part !== undefined);
}

const sendPlaylist = (reply: FastifyReply, playlist: string): FastifyReply =>
  reply.type('application/vnd.apple.mpegurl').header('cache-control', 'no-store').send(playlist);
