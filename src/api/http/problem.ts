import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { asPreviewError, catalogue, PreviewError } from '../../errors.ts';

/** Answers every error with an RFC 9457 problem document. What callers must not see is only logged. */
export function handleErrors(app: FastifyInstance): void {
  app.setErrorHandler(answerWithProblem);
  app.setNotFoundHandler((request, reply) => {
    const address = `${request.method} ${request.url.split('?')[0]}`;
    return answerWithProblem(
      new PreviewError('not_found', `There is nothing at ${address}.`),
      request,
      reply,
    );
  });
}

/** Also used for what Fastify refuses before it looks for a route (its option `frameworkErrors`). */
export function answerWithProblem(
  thrown: FastifyError | PreviewError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const error = translate(thrown, request);
  if (error.status >= 500) request.log.error({ err: error }, 'request failed');
  else request.log.info({ code: error.code }, 'request refused');
  if (error.retryAfterSeconds !== undefined) reply.header('retry-after', String(error.retryAfterSeconds));
  // The hooks that set them have not run for what Fastify refuses before it looks for a route.
  reply.headers({ 'x-request-id': request.id, 'x-content-type-options': 'nosniff' });
  if (error.code === 'unauthorized' && !reply.hasHeader('www-authenticate'))
    reply.header('www-authenticate', 'Bearer');
  return reply
    .code(error.status)
    .type('application/problem+json')
    .send({
      type: 'about:blank',
      title: catalogue[error.code].title,
      status: error.status,
      code: error.code,
      // The reason of an error on our side is only in the log, under the same requestId.
      detail: error.status >= 500 ? catalogue[error.code].title : error.message,
      requestId: request.id,
      ...(error.errors ? { errors: error.errors } : {}),
    });
}

/** Translates Fastify's own refusals into errors of our catalogue. */
function translate(thrown: FastifyError | PreviewError, request: FastifyRequest): PreviewError {
  if (thrown instanceof PreviewError) return thrown;
  switch (thrown.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE': {
      const { bodyLimit } = request.routeOptions;
      return new PreviewError('payload_too_large', `The body is larger than ${bodyLimit} bytes.`);
    }
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new PreviewError('unsupported_media_type', 'Send the body as application/json.');
    default: {
      const isRefusal = (thrown.statusCode ?? 500) < 500;
      return isRefusal ? new PreviewError('invalid_request', `${thrown.message}.`) : asPreviewError(thrown);
    }
  }
}
