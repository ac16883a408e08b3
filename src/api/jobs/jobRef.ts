import type { FastifyRequest } from 'fastify';
import type { JobRef } from '../../worker/previewWorkerClient.ts';

/** The part of a request that names a job. */
export interface JobRequest {
  params: { jobId: string };
  query: { projectId?: string };
  project: FastifyRequest['project'];
}

/** With an API key the project is that of the key, whatever the query says. Jobs of other projects do not exist for it. */
export function refOf({ params, query, project }: JobRequest): JobRef {
  return { jobId: params.jobId, projectId: project ?? query.projectId };
}

/** The query for links to other calls about the same job. */
export function jobQuery({ query }: JobRequest): string {
  return query.projectId === undefined ? '' : `?projectId=${encodeURIComponent(query.projectId)}`;
}
