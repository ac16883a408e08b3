import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { asPreviewError, PreviewError } from '../errors.ts';

/** Makes every error an RFC 9457 problem document; what is not ours to show is only logged. */
export function handleErrors(app: FastifyInstance): void {
  app.setErrorHandler((thrown: FastifyError, request, reply) =>
    sendProblem(request, reply, translate(thrown)),
  );
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      request,
      reply,
      new PreviewError('not_found', `There is nothing at ${request.method} ${request.url.split('?')[0]}.`),
    ),
  );
}

function sendProblem(request: FastifyRequest, reply: FastifyReply, error: PreviewError): FastifyReply {
  if (error.status >= 500) request.log.error({ err: error }, 'request failed');
  else request.log.info({ code: error.code }, 'request refused');
  if (error.retryAfterSeconds !== undefined) reply.header('retry-after', String(error.retryAfterSeconds));
  if (error.code === 'unauthorized') reply.header('www-authenticate', 'Bearer');
  return reply
    .code(error.status)
    .type('application/problem+json')
    .send({
      type: 'about:blank',
      title: new PreviewError(error.code).message,
      status: error.status,
      code: error.code,
      detail: error.message,
      requestId: request.id,
      ...(error.errors ? { errors: error.errors } : {}),
    });
}

/** Fastify's own refusals in the words of our catalogue. */
function translate(thrown: FastifyError): PreviewError {
  if (thrown instanceof PreviewError) return thrown;
  switch (thrown.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new PreviewError('payload_too_large', undefined, { cause: thrown });
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new PreviewError('unsupported_media_type', undefined, { cause: thrown });
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return new PreviewError('invalid_json', 'The body is empty; send the job as JSON.', { cause: thrown });
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
    case 'FST_ERR_VALIDATION':
      return new PreviewError('invalid_request', thrown.message, { cause: thrown });
    default:
      // Whatever else Fastify refuses with a 4xx is the sender's to mend, not ours.
      return (thrown.statusCode ?? 500) < 500
        ? new PreviewError('invalid_request', thrown.message, { cause: thrown })
        : asPreviewError(thrown);
  }
}
