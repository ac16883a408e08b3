import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { PreviewWorkerClient } from '../../worker/previewWorkerClient.ts';
import type { JobEntry } from '../../worker/records/jobList.ts';
import type { LiveJobs } from '../../worker/watch/liveJobs.ts';
import { problemResponses } from '../http/problemSchema.ts';
import { withLinks } from '../jobs/jobs.ts';
import { event, eventQueue, listeningSignal, sendEvents } from './serverSentEvents.ts';
import { liveSchema } from './streamSchemas.ts';

/** The present state: how many of the newest jobs, and of those that wait or run. */
const NEWEST = 50;
const UNFINISHED = 200;

/** All jobs and the queue as server-sent events: first how they are, then each change. */
export function liveJobRoutes(
  app: FastifyInstance,
  { client, live }: { client: PreviewWorkerClient; live: LiveJobs },
): void {
  const signalOf = listeningSignal(app);

  app.get<{ Querystring: { projectId?: string } }>(
    '/api/preview/events',
    {
      schema: {
        tags: ['jobs'],
        summary: 'Follow all jobs and the queue by server-sent events',
        ...liveSchema,
        response: { ...liveSchema.response, ...problemResponses(400, 401, 503) },
      },
    },
    async (request, reply) => {
      const projectId = request.project ?? request.query.projectId;
      const signal = signalOf(request);
      const events = eventQueue(signal);
      const tell = (entry: JobEntry): void => events.push(event('job', withLinks(entry, request)));
      let hold: JobEntry[] | undefined = [];
      const stop = live.listen({
        projectId,
        // Changes that happen while the present state is being read are sent after it.
        job: (entry) => (hold ? hold.push(entry) : tell(entry)),
        queue: mayOperate(request) ? (state) => events.push(event('queue', state)) : undefined,
      });
      signal.addEventListener('abort', stop);
      try {
        for (const entry of await present(client, projectId)) tell(entry);
      } catch (error) {
        // The answer has not begun, so the error is still a problem document.
        stop();
        throw error;
      }
      for (const entry of hold) tell(entry);
      hold = undefined;
      return sendEvents(reply, events, signal);
    },
  );
}

/** The oldest first, as if each had just been accepted. */
async function present(client: PreviewWorkerClient, projectId: string | undefined): Promise<JobEntry[]> {
  const [newest, unfinished] = await Promise.all([
    client.list({ projectId }, { limit: NEWEST }),
    client.list({ projectId, statuses: ['queued', 'rendering', 'retrying'] }, { limit: UNFINISHED }),
  ]);
  const known = new Set(newest.jobs.map(({ projectId, jobId }) => `${projectId}~${jobId}`));
  const older = unfinished.jobs.filter(({ projectId, jobId }) => !known.has(`${projectId}~${jobId}`));
  return [...newest.jobs, ...older].reverse();
}

const mayOperate = ({ scopes }: FastifyRequest): boolean =>
  scopes === undefined || scopes.includes('operate');
