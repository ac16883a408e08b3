import type { FastifyRequest } from 'fastify';
import type { JobRef } from '../../worker/previewWorkerClient.ts';

/** What a request says of the job that it is about. */
export interface JobRequest {
  params: { jobId: string };
  query: { projectId?: string };
  project: FastifyRequest['project'];
}

/** With keys the project is the key's, whatever the query says: another project's job does not exist. */
export function refOf({ params, query, project }: JobRequest): JobRef {
  return { jobId: params.jobId, projectId: project ?? query.projectId };
}

/** The query of links beside the one that was asked for. */
export function jobQuery({ query }: JobRequest): string {
  return query.projectId === undefined ? '' : `?projectId=${encodeURIComponent(query.projectId)}`;
}
