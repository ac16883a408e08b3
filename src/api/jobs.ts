import type { FastifyInstance } from 'fastify';
import { PreviewError } from '../errors.ts';
import { findPathSources } from '../job/findPathSources.ts';
import { validatePreviewPayload } from '../job/validatePreviewPayload.ts';
import type { UrlSigner } from '../storage/signedUrl.ts';
import type { JobRef, JobStatus, PreviewWorkerClient } from '../worker/previewWorkerClient.ts';
import type { Authorize } from './auth.ts';
import { artifactListSchema, jobRefSchema, jobSchema, problemResponses, statusSchema } from './schemas.ts';

interface JobParams {
  jobId: string;
}

interface JobQuery {
  projectId?: string;
  name?: string;
  redirect?: string;
}

/** Sending a job, asking after it, fetching what it made, cancelling it. */
export function jobRoutes(
  app: FastifyInstance,
  { client, signer, authorize }: { client: PreviewWorkerClient; signer: UrlSigner; authorize: Authorize },
): void {
  app.post(
    '/api/preview/job',
    {
      // The body is checked by validatePreviewPayload, whose messages are better than a validator's.
      validatorCompiler: () => () => true,
      schema: {
        tags: ['jobs'],
        summary: 'Send a job',
        description: 'The same job again answers 200 and its present state; nothing is rendered twice.',
        body: jobSchema,
        response: {
          200: statusSchema,
          202: statusSchema,
          ...problemResponses(400, 401, 403, 413, 415, 422, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const project = authorize(request);
      refuseInvalid(request.body);
      refuseOtherProject(request.body, project);
      const { outcome, status } = await client.enqueue(request.body);
      request.log.info({ jobId: status.jobId, projectId: status.projectId, outcome }, 'job posted');
      const body = withLinks(status, project);
      return reply
        .code(outcome === 'accepted' ? 202 : 200)
        .header('location', body.links.status)
        .send(body);
    },
  );

  app.get<{ Params: JobParams; Querystring: JobQuery }>(
    '/api/preview/job/:jobId/status',
    {
      schema: {
        tags: ['jobs'],
        summary: 'How far a job is, or how it ended',
        ...jobRefSchema,
        response: { 200: statusSchema, ...problemResponses(401, 404, 409, 503) },
      },
    },
    async (request) => {
      const project = authorize(request);
      return withLinks(await client.status(refOf(request, project)), project);
    },
  );

  app.get<{ Params: JobParams; Querystring: JobQuery }>(
    '/api/preview/job/:jobId/artifact',
    {
      schema: {
        tags: ['jobs'],
        summary: 'What a completed job made, with signed URLs',
        ...jobRefSchema,
        response: { 200: artifactListSchema, ...problemResponses(401, 404, 409, 503) },
      },
    },
    async (request, reply) => {
      const artifacts = await client.artifacts(refOf(request, authorize(request)));
      const signed = artifacts.map((artifact) => {
        const { path, expiresAt } = signer.sign(artifact);
        return { ...artifact, url: path, expiresAt };
      });
      const { name, redirect } = request.query;
      if (name === undefined) return { artifacts: signed };
      const one = signed.find((artifact) => artifact.name === name);
      if (!one) {
        const names = signed.map((artifact) => artifact.name).join(', ');
        throw new PreviewError('artifact_not_found', `The job has no artifact "${name}"; it has ${names}.`);
      }
      return redirect === '1' ? reply.redirect(one.url, 302) : one;
    },
  );

  app.delete<{ Params: JobParams; Querystring: JobQuery }>(
    '/api/preview/job/:jobId',
    {
      schema: {
        tags: ['jobs'],
        summary: 'Cancel a job that waits or runs',
        ...jobRefSchema,
        response: { 200: statusSchema, ...problemResponses(401, 404, 409, 503) },
      },
    },
    async (request) => {
      const project = authorize(request);
      return withLinks(await client.cancel(refOf(request, project)), project);
    },
  );
}

/** With keys the project is the key's, whatever the query says: another project's job does not exist. */
function refOf(request: { params: JobParams; query: JobQuery }, project: string | undefined): JobRef {
  return { jobId: request.params.jobId, projectId: project ?? request.query.projectId };
}

/** The job must be valid, and must not name files of this machine. */
function refuseInvalid(body: unknown): void {
  const checked = validatePreviewPayload(body);
  const errors = checked.ok ? findPathSources(checked.job) : checked.errors;
  if (errors.length > 0) throw new PreviewError('invalid_payload', undefined, { errors });
}

function refuseOtherProject(body: unknown, project: string | undefined): void {
  if (project === undefined || typeof body !== 'object' || body === null || !('projectId' in body)) return;
  if (body.projectId !== project) {
    throw new PreviewError('forbidden', `This API key is for project "${project}"; send it as projectId.`);
  }
}

function withLinks(status: JobStatus, project: string | undefined) {
  const base = `/api/preview/job/${encodeURIComponent(status.jobId)}`;
  const query = project === undefined ? `?projectId=${encodeURIComponent(status.projectId)}` : '';
  return {
    ...status,
    links: {
      self: `${base}${query}`,
      status: `${base}/status${query}`,
      artifacts: `${base}/artifact${query}`,
    },
  };
}
