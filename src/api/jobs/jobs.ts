import type { FastifyInstance, FastifyRequest } from 'fastify';
import { PreviewError } from '../../errors.ts';
import { findPathSources } from '../../job/findPathSources.ts';
import type { PreviewJob } from '../../job/previewJob.types.ts';
import { validateParsedPayload } from '../../job/validatePreviewPayload.ts';
import type { UrlSigner } from '../../storage/signedUrls/signedUrl.ts';
import type { JobStatus, PreviewWorkerClient } from '../../worker/previewWorkerClient.ts';
import type { Planner } from '../../worker/renderProcess/planner.ts';
import { problemResponses } from '../http/problemSchema.ts';
import { refOf } from './jobRef.ts';
import {
  artifactRefSchema,
  artifactsSchema,
  jobRefSchema,
  jobSchema,
  planSchema,
  statusSchema,
} from './jobSchemas.ts';
import type { KnownJobs } from './knownJobs.ts';

/** A request for one job. */
export interface JobCall {
  Params: { jobId: string };
  Querystring: { projectId?: string; name?: string; redirect?: string };
}

/** The projects whose webhooks can be signed. */
export type WebhookProjects = Pick<ReadonlySet<string>, 'has'>;

/** Calls that send a job, get its status and artifacts, and cancel it. */
export function jobRoutes(
  app: FastifyInstance,
  {
    client,
    known,
    signer,
    plan,
    webhookProjects,
  }: {
    client: PreviewWorkerClient;
    known: KnownJobs;
    signer: UrlSigner;
    plan: Planner;
    webhookProjects: WebhookProjects;
  },
): void {
  const tags = ['jobs'];

  app.post(
    '/api/preview/job',
    {
      // The body is checked by validateParsedPayload, whose messages are better than a validator's.
      validatorCompiler: () => () => true,
      serializerCompiler: () => (data) => JSON.stringify(data),
      schema: {
        tags,
        summary: 'Send a job',
        description:
          'If you send the same job again, the answer is 200 with its present state, and nothing is rendered twice.',
        body: jobSchema,
        response: {
          200: statusSchema,
          202: statusSchema,
          ...problemResponses(400, 401, 403, 413, 415, 422, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const job = validJob(request, webhookProjects);
      const { outcome, status } = await client.submit(job, { traceparent: request.span.traceparent });
      const { jobId, projectId, requestId } = job;
      known.add(job);
      // The job's own request id, as on all its lines; the one of this call may be another.
      const httpRequestId = request.id;
      app.log.info({ requestId, jobId, projectId, httpRequestId, outcome }, 'job posted');
      const body = withLinks(status, request);
      reply.code(outcome === 'accepted' ? 202 : 200).header('location', body.links.status);
      return body;
    },
  );

  app.post(
    '/api/preview/validate',
    {
      validatorCompiler: () => () => true,
      schema: {
        tags,
        summary: 'Check a job and say what a render would do',
        description:
          'Checks the job and its assets. The answer has its timeline, which parts exist already, how long a render would take, and every warning. Nothing is queued or rendered.',
        body: jobSchema,
        response: { 200: planSchema, ...problemResponses(400, 401, 403, 413, 415, 422, 503) },
      },
    },
    async (request, reply) => {
      const gone = new AbortController();
      // The request itself is closed as soon as its body has been read.
      reply.raw.once('close', () => {
        if (!reply.raw.writableFinished) gone.abort();
      });
      return plan(validJob(request, webhookProjects), gone.signal);
    },
  );

  app.get<JobCall>(
    '/api/preview/job/:jobId/status',
    {
      schema: {
        tags,
        summary: 'Get the status of a job',
        ...jobRefSchema,
        response: { 200: statusSchema, ...problemResponses(401, 404, 409, 503) },
      },
    },
    async (request) => withLinks(await client.status(refOf(request)), request),
  );

  app.get<JobCall>(
    '/api/preview/job/:jobId/artifact',
    {
      schema: {
        tags,
        summary: 'Get the artifacts of a completed job, with signed URLs',
        ...artifactRefSchema,
        response: {
          200: artifactsSchema,
          302: { description: 'The signed URL is in `Location`', type: 'null' },
          ...problemResponses(401, 404, 409, 503),
        },
      },
    },
    async (request, reply) => {
      const artifacts = await client.artifacts(refOf(request));
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

  app.delete<JobCall>(
    '/api/preview/job/:jobId',
    {
      schema: {
        tags,
        summary: 'Cancel a waiting or running job',
        ...jobRefSchema,
        response: { 200: statusSchema, ...problemResponses(401, 404, 409, 503) },
      },
    },
    async (request) => withLinks(await client.cancel(refOf(request)), request),
  );
}

/** Checks the job that was sent: it is valid, names no local files, belongs to the key's project, and its webhook can be signed. */
function validJob({ body, project }: FastifyRequest, webhookProjects: WebhookProjects): PreviewJob {
  const checked = validateParsedPayload(body);
  const errors = checked.ok ? findPathSources(checked.job) : checked.errors;
  if (!checked.ok || errors.length > 0) throw new PreviewError('invalid_payload', undefined, { errors });
  if (project !== undefined && checked.job.projectId !== project) {
    throw new PreviewError('forbidden', `This API key is for project "${project}"; send it as projectId.`);
  }
  if (checked.job.webhook && !webhookProjects.has(checked.job.projectId)) {
    const message = `project "${checked.job.projectId}" has no secret for webhooks; leave the webhook out, or set PREVIEW_WEBHOOK_SECRETS`;
    throw new PreviewError('invalid_payload', undefined, { errors: [{ pointer: '/webhook', message }] });
  }
  return checked.job;
}

/** Without keys a link names the project, because a job's id alone may be ambiguous. */
export function withLinks<Known extends Pick<JobStatus, 'jobId' | 'projectId'>>(
  status: Known,
  { project }: Pick<FastifyRequest, 'project'>,
) {
  const job = `/api/preview/job/${encodeURIComponent(status.jobId)}`;
  const query = project === undefined ? `?projectId=${encodeURIComponent(status.projectId)}` : '';
  const self = `${job}${query}`;
  return {
    ...status,
    links: {
      self,
      status: `${job}/status${query}`,
      history: `${job}/history${query}`,
      artifacts: `${job}/artifact${query}`,
      stream: `${job}/stream.m3u8${query}`,
      events: `${job}/events${query}`,
      cancel: self,
    },
  };
}
