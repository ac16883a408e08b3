import { type Agent, type Dispatcher, request } from 'undici';
import { PreviewError } from '../errors.ts';
import { limitInterimAnswers } from './interimAnswers.ts';

/**
 * Opens an asset that is named by a URL. The stream that it answers fails in the same ways as the call.
 * @throws PreviewError `asset_unreachable`, `asset_missing` (404, 410) or `asset_address_refused`; where `signal` was
 *   aborted, its reason
 */
export type AssetFetcher = (url: string, signal: AbortSignal, known?: Validators) => Promise<FetchedAsset>;

/** What a server said of a file, by which it can be asked whether it has changed (RFC 9110, 8.8). */
export interface Validators {
  etag?: string;
  lastModified?: string;
}

export interface FetchedAsset extends AsyncIterable<Uint8Array> {
  /** Empty if the server sent neither `ETag` nor `Last-Modified`. */
  validators: Validators;
  /** The server says that the file is the one that is known; then there are no bytes. */
  isUnchanged: boolean;
}

const MAX_REDIRECTS = 3;

/**
 * @param agent checks every address, see egress.ts; redirects are followed here, each through the same agent
 * @param totalMs from the request to the last byte
 */
export function createAssetFetcher(agent: Agent, totalMs: number): AssetFetcher {
  return async (url, signal, known = {}) => {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(totalMs)]);
    let target = checkUrl(url);
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      try {
        const response = await request(target, {
          dispatcher: agent,
          ...limitInterimAnswers(deadline),
          headers: { accept: '*/*', 'accept-encoding': 'identity', ...conditions(known) },
        });
        if (response.statusCode === 200) {
          refuseEncoded(response, target);
          return fetched(guard(response.body, target, signal), validatorsOf(response));
        }
        await response.body.dump();
        if (response.statusCode === 304 && hasValidators(known)) return fetched(nothing(), known, true);
        target = redirectTarget(response, target);
      } catch (error) {
        throw asFetchError(error, target, signal);
      }
    }
    throw new PreviewError(
      'asset_unreachable',
      `${place(target)} is behind more than ${MAX_REDIRECTS} redirects; use the final address.`,
    );
  };
}

const fetched = (
  bytes: AsyncIterable<Uint8Array>,
  validators: Validators,
  isUnchanged = false,
): FetchedAsset => ({ [Symbol.asyncIterator]: () => bytes[Symbol.asyncIterator](), validators, isUnchanged });

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** Whether a server can be asked for what has changed since. */
export const hasValidators = ({ etag, lastModified }: Validators): boolean =>
  etag !== undefined || lastModified !== undefined;

const conditions = ({ etag, lastModified }: Validators): Record<string, string> => ({
  ...(etag === undefined ? {} : { 'if-none-match': etag }),
  ...(lastModified === undefined ? {} : { 'if-modified-since': lastModified }),
});

/** Longer ones are not kept. */
const MAX_VALIDATOR = 256;

/** A weak entity tag says that files mean the same, not that they are the same. */
function validatorsOf({ headers: { etag, 'last-modified': modified } }: Dispatcher.ResponseData): Validators {
  const isGiven = (value: unknown): value is string =>
    typeof value === 'string' && value !== '' && value.length <= MAX_VALIDATOR;
  if (isGiven(etag)) return etag.startsWith('W/') ? {} : { etag };
  return isGiven(modified) ? { lastModified: modified } : {};
}

function checkUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new PreviewError('asset_address_refused', 'Only http: and https: addresses are fetched.');
  }
  return url;
}

/** The address of a redirect. @throws for every other answer that is not 200 */
function redirectTarget({ statusCode, headers }: Dispatcher.ResponseData, target: URL): URL {
  const { location } = headers;
  const isRedirect = statusCode >= 300 && statusCode < 400 && typeof location === 'string';
  if (isRedirect && URL.canParse(location, target.href)) return checkUrl(new URL(location, target).href);
  const code = statusCode === 404 || statusCode === 410 ? 'asset_missing' : 'asset_unreachable';
  throw new PreviewError(code, `${place(target)} answered ${statusCode}.`);
}

/** Nothing is decompressed here, so that bytes are bytes: a small answer cannot become a large one. */
function refuseEncoded({ headers, body }: Dispatcher.ResponseData, target: URL): void {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return;
  body.on('error', () => undefined).destroy();
  throw new PreviewError(
    'asset_type_unsupported',
    `${place(target)} answered with the Content-Encoding ${encoding}, which was not requested; serve the file uncompressed.`,
  );
}

async function* guard(
  body: AsyncIterable<Uint8Array>,
  target: URL,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw asFetchError(error, target, signal);
  }
}

function asFetchError(error: unknown, target: URL, signal: AbortSignal): unknown {
  // The job was stopped, which is not the asset's fault.
  if (signal.aborted) return signal.reason;
  if (error instanceof PreviewError) return error;
  return new PreviewError('asset_unreachable', `${place(target)} did not answer completely.`, {
    cause: error,
  });
}

/** Where, without the user info and the query, which may be secrets. */
const place = (url: URL): string => `${url.protocol}//${url.host}${url.pathname}`;
