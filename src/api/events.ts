import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { getStream } from '../render/stream.ts';
import type { ArtifactStore } from '../storage/artifactStore.ts';
import type { JobStatus, PreviewWorkerClient } from '../worker/previewWorkerClient.ts';
import { type JobRequest, refOf } from './jobRef.ts';
import { withLinks } from './jobs.ts';
import { eventsSchema, problemResponses } from './schemas.ts';

/** How often the queue is asked about the job while somebody listens, and how often the store whether it has ended. */
const LOOK_MS = 200;
const END_LOOK_MS = 25;
/** A comment at least this often keeps proxies from closing the connection. */
const BEAT_MS = 15_000;

/**
 * A job's life as server-sent events, from its present state to its end: `status` where something changed, `segment` for
 * each piece of the preview that can be played, `end`. Whoever comes back after a break is told the state anew.
 */
export function eventRoutes(
  app: FastifyInstance,
  { client, store }: { client: PreviewWorkerClient; store: ArtifactStore },
): void {
  app.get<{ Params: JobRequest['params']; Querystring: JobRequest['query'] }>(
    '/api/preview/job/:jobId/events',
    {
      schema: {
        tags: ['jobs'],
        summary: 'What happens to a job, as server-sent events',
        ...eventsSchema,
        response: { ...eventsSchema.response, ...problemResponses(401, 404, 409, 503) },
      },
    },
    async (request, reply) => {
      // Found before the answer begins, so that what is wrong is still a problem document.
      const first = await client.status(refOf(request));
      const gone = new AbortController();
      request.raw.once('close', () => gone.abort());
      const events = jobEvents(first, client, store, gone.signal, (status) => withLinks(status, request));
      return reply
        .type('text/event-stream')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
        .send(Readable.from(events));
    },
  );
}

async function* jobEvents(
  first: JobStatus,
  client: PreviewWorkerClient,
  store: ArtifactStore,
  signal: AbortSignal,
  shown: (status: JobStatus) => unknown,
): AsyncGenerator<string> {
  let status = first;
  let told = '';
  let spokenAt = Date.now();
  const segments = segmentWatch(store, first);
  while (!signal.aborted) {
    for (const segment of await segments()) yield event('segment', segment);
    const state = JSON.stringify(shown(status));
    if (state !== told) {
      yield event('status', shown(status));
      told = state;
      spokenAt = Date.now();
    } else if (Date.now() - spokenAt > BEAT_MS) {
      yield ': still here\n\n';
      spokenAt = Date.now();
    }
    if (status.finishedAt !== undefined) {
      // What was finished between the last look and the end.
      for (const segment of await segments()) yield event('segment', segment);
      yield event('end', { status: status.status });
      return;
    }
    await endedOrLater(store, first, signal);
    if (signal.aborted) return;
    status = await client.status(first);
  }
}

/** Waits until it is time to ask the queue again, or the job has its record: a look into the store costs little. */
async function endedOrLater(store: ArtifactStore, job: JobStatus, signal: AbortSignal): Promise<void> {
  for (const until = Date.now() + LOOK_MS; Date.now() < until && !signal.aborted; ) {
    if (await store.getRecord(job.projectId, job.jobId).catch(() => undefined)) return;
    await sleep(END_LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
}

const event = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

/** Answers, each time it is called, the segments that have become playable since. */
function segmentWatch(store: ArtifactStore, job: { projectId: string; jobId: string }) {
  let next = 0;
  let frames = 0;
  return async (): Promise<{ index: number; of: number; startSeconds: number; endSeconds: number }[]> => {
    const stream = await getStream(store, job).catch(() => undefined);
    const ready = [];
    for (; stream && next < stream.segments.length; next++) {
      const segment = stream.segments[next];
      if (!segment || !(await store.getPart(segment.key))) break;
      const startSeconds = frames / stream.video.fps;
      frames += segment.frames;
      ready.push({
        index: next,
        of: stream.segments.length,
        startSeconds,
        endSeconds: frames / stream.video.fps,
      });
    }
    return ready;
  };
}
