import type { FastifyInstance } from 'fastify';
import type { JobEvents } from '../../queue/events/jobEvents.ts';
import { getStream } from '../../render/movie/stream.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';
import type { JobStatus, PreviewWorkerClient } from '../../worker/previewWorkerClient.ts';
import { problemResponses } from '../http/problemSchema.ts';
import { type JobRequest, refOf } from '../jobs/jobRef.ts';
import { withLinks } from '../jobs/jobs.ts';
import { watchJob } from './jobWatch.ts';
import { event, listeningSignal, sendEvents } from './serverSentEvents.ts';
import { eventsSchema } from './streamSchemas.ts';

/** How often to look even without news, because the news may have missed something. */
const LOOK_MS = 500;

/** A piece of the preview that can be played. */
interface ReadySegment {
  index: number;
  of: number;
  startSeconds: number;
  endSeconds: number;
  /** It was there before this job began. */
  reused: boolean;
}

/**
 * A job's life as server-sent events, from its present state to its end: `status` where something changed, `segment` for
 * each piece of the preview that can be played, `end`. A client that reconnects gets the present state again.
 */
export function eventRoutes(
  app: FastifyInstance,
  parts: { client: PreviewWorkerClient; store: ArtifactStore; events: JobEvents },
): void {
  const { client } = parts;
  const signalOf = listeningSignal(app);

  app.get<{ Params: JobRequest['params']; Querystring: JobRequest['query'] }>(
    '/api/preview/job/:jobId/events',
    {
      schema: {
        tags: ['jobs'],
        summary: 'Follow a job by server-sent events',
        ...eventsSchema,
        response: { ...eventsSchema.response, ...problemResponses(401, 404, 409, 503) },
      },
    },
    async (request, reply) => {
      // This comes before the answer begins, so that an error is still a problem document.
      const first = await client.status(refOf(request));
      const signal = signalOf(request);
      const told = tellJob(first, parts, signal, (status) => withLinks(status, request));
      return sendEvents(reply, told, signal);
    },
  );
}

async function* tellJob(
  first: JobStatus,
  { client, store, events }: { client: PreviewWorkerClient; store: ArtifactStore; events: JobEvents },
  signal: AbortSignal,
  shown: (status: JobStatus) => unknown,
): AsyncGenerator<string> {
  let told = '';
  const segments = segmentWatch(store, first);
  const watch = watchJob(events, first, signal);
  try {
    for (let status = first; !signal.aborted; status = await client.status(first)) {
      const text = JSON.stringify(shown(status));
      if (text !== told) yield event('status', shown(status));
      told = text;
      // This comes after the status: once the job has ended, everything that it produced can be found.
      for (const segment of await segments(status)) yield event('segment', segment);
      if (status.finishedAt !== undefined) {
        yield event('end', { status: status.status });
        return;
      }
      await watch.changed(LOOK_MS);
    }
  } finally {
    watch.stop();
  }
}

/** @returns a function that answers the segments that have become playable since its last call */
function segmentWatch(store: ArtifactStore, job: { projectId: string; jobId: string }) {
  let next = 0;
  let frames = 0;
  return async ({ startedAt = '' }: JobStatus): Promise<ReadySegment[]> => {
    const stream = await getStream(store, job).catch(() => undefined);
    const ready: ReadySegment[] = [];
    for (; stream && next < stream.segments.length; next++) {
      const segment = stream.segments[next];
      const part = segment && (await store.getPart(segment.key));
      if (!part) break;
      const startSeconds = frames / stream.video.fps;
      frames += segment.frames;
      const endSeconds = frames / stream.video.fps;
      // A part without a time is older than this job: parts did not always have one.
      const reused = !part.madeAt || Date.parse(part.madeAt) < Date.parse(startedAt);
      ready.push({ index: next, of: stream.segments.length, startSeconds, endSeconds, reused });
    }
    return ready;
  };
}
