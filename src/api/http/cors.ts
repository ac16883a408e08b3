import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

/** What a page needs to follow a job: where it is, when to try again, whom to ask about it, and how far a range goes. */
const EXPOSED = [
  'location',
  'retry-after',
  'x-request-id',
  'etag',
  'content-range',
  'accept-ranges',
  'content-disposition',
];
const ACCEPTED = [
  'authorization',
  'content-type',
  'x-request-id',
  'range',
  'if-range',
  'if-none-match',
  'traceparent',
  'last-event-id',
];
/** How long a browser may cache the answer to a preflight request, in seconds. */
const PREFLIGHT_SECONDS = 600;

/**
 * Lets pages of these origins call the API from a browser; without any the browser keeps the answers from all pages but
 * our own. Keys are sent in a header, so there are no cookies that a page could borrow.
 */
export async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  await app.register(cors, {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'DELETE'],
    allowedHeaders: ACCEPTED,
    exposedHeaders: EXPOSED,
    maxAge: PREFLIGHT_SECONDS,
    strictPreflight: false,
  });
}
